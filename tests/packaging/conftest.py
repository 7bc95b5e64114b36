"""The adapter that lies here is somebody else's: its tests run where it is installed (test_third_party)."""

collect_ignore = ["maildir_esp"]
