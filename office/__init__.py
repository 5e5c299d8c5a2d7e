"""Who the office is: units, staff, hours, contacts, post room, audit, and the store they live in."""
