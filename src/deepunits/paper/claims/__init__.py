"""The claims of the paper as measured statistics, a module a section; each is declared once, where it is measured."""
