"""What administrators see and govern at run time: how the service is, its jobs, and one policy, in versions."""
