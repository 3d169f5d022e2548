"""How adults and families come to the portal: the door, a family that nobody knew, invitations."""
