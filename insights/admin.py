"""Colleagues: who may sign in, and in which role."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.contrib.auth.models import Group, User
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from insights import services
from insights.accounts import Role


class _ColleagueForm(forms.ModelForm):  # type: ignore[type-arg]
    """Sign-in is by e-mail, and what somebody may do follows from one role."""

    email = forms.EmailField(label=_("E-mail"), max_length=150)
    role = forms.ChoiceField(label=_("Role"), choices=Role.choices)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["role"] = self.instance.groups.values_list("name", flat=True).first()

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"].lower()
        if User.objects.filter(username=email).exclude(pk=self.instance.pk).exists():
            raise ValidationError(_("There is a colleague with this address already."))
        return email


class NewColleagueForm(_ColleagueForm, AdminUserCreationForm):
    class Meta:
        model = User
        fields = ("email", "first_name")


class ColleagueForm(_ColleagueForm, UserChangeForm):
    class Meta:
        model = User
        fields = ("email", "first_name", "is_active")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        stays = cleaned.get("role") == Role.ADMINISTRATOR and cleaned.get("is_active")
        others = User.objects.filter(is_superuser=True, is_active=True).exclude(pk=self.instance.pk)
        if not stays and self.instance.is_superuser and not others.exists():
            raise ValidationError(_("Make somebody else administrator first: there is no other."))
        return cleaned


admin.site.unregister([User, Group])


@admin.register(User)
class ColleagueAdmin(UserAdmin):
    form = ColleagueForm
    add_form = NewColleagueForm
    list_display = ("email", "first_name", "role", "is_active", "last_login")
    list_filter = ("groups", "is_active")
    search_fields = ("email", "first_name")
    ordering = ("email",)
    fieldsets = (
        (None, {"fields": ("email", "password", "first_name", "role", "is_active")}),
        (_("Seen"), {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "first_name", "role", "password1", "password2")}),)
    readonly_fields = ("last_login", "date_joined")

    @admin.display(description=_("Role"))
    def role(self, user: User) -> str:
        names = {group.name for group in user.groups.all()}
        return ", ".join(str(role.label) for role in Role if role.value in names)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("groups")

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        obj.username = obj.email
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        services.assign_role(form.instance, Role(form.cleaned_data["role"]))
