"""What every program of the sandbox needs of the machine: processes, ports, signals, certificates."""
