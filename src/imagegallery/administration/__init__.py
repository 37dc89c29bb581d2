"""What administrators govern at run time: one policy, in versions."""
