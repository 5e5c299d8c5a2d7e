"""One module a channel: an aiogram session that carries outgoing methods to where people are."""
