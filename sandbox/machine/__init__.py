"""What the programs of the sandbox need from the machine: processes, ports, signals, certificates."""
