"""What the daemon does when the machine, the disk, the notes or the person misbehave."""
