"""The three ways to see a unit (sections 2.1, 4.1 and 4.2): activation maximization, sampling, linear combination."""
