"""The form field of a picture: a file to send, and the picture that is there."""

from typing import Any

from django import forms

from imagegallery.hosts.django.value import Picture


class PictureInput(forms.ClearableFileInput):
    """Chooses a file, shows the picture that is there, and lets go of it where none is allowed."""

    template_name = "imagegallery/picture_input.html"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"accept": "image/*", **(attrs or {})})

    def is_initial(self, value: object) -> bool:
        return isinstance(value, Picture)

    def format_value(self, value: object) -> Any:
        return value if isinstance(value, Picture) else None


class PictureFormField(forms.FileField):
    """Takes an uploaded file, or keeps what is there."""

    widget = PictureInput
