"""Under which key an attempt's rendered template fields stand among what it pushed."""

RENDERED = "_rendered_fields"
