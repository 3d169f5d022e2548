"""Families that are registered twice: found, looked at two by two, made one."""
