"""The family's planning: months, grid, menus, what the basket holds, the typical week, the check."""
