"""The sheet of paper that figures are drawn on, and many small images as one."""
