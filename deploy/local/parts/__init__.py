"""The parts of the local stack: one file for each thing that it downloads, starts or remembers."""
