"""`faststyle demo`: drawn styles, a training, an export, a contact sheet."""
