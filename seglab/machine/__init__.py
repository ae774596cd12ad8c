"""What the course needs of the machine: device, memory, processes, files."""
