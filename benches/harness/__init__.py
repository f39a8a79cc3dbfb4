"""The benchmark's rooms: measure, captures, tools, plan, report. `run.py` wires them. Standard library only."""
