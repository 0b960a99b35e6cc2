"""Datasets: where they come from, how they are verified, and the streams that training draws on."""
