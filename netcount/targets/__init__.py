"""What a target takes and how fast it is: profiles of tool-chains and chips, held against a net."""
