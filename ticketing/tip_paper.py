"""The work tip as an official document (公文), after GB/T 9704-2012: the same facts, the same bytes."""

from __future__ import annotations

import io

from office import archives
from ticketing.tip_paper_body import attachments, body, bound, listed
from ticketing.tip_paper_end import closing, signature
from ticketing.tip_paper_facts import PaperFacts, facts
from ticketing.tip_paper_form import form
from ticketing.tip_paper_head import head
from ticketing.tip_paper_pages import begun

__all__ = ["PaperFacts", "facts", "paper"]


def paper(told: PaperFacts) -> bytes:
    """The tip as a Word document: head, text, signature, attachments, 版记; what is empty is left out."""
    settings = form()
    made = begun(told, settings)
    head(made, told, settings)
    body(made, told)
    bound(made)
    listed(made, told, settings)
    signature(made, told, settings)
    attachments(made, told)
    closing(made, told, settings)
    packed = io.BytesIO()
    made.save(packed)
    return archives.still(packed.getvalue(), told.at)
