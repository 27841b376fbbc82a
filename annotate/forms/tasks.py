from django import forms

from annotate.services.task_admin import MOST_PEOPLE


class TaskFilterForm(forms.Form):
    STATES = (("", "All"), ("open", "Open"), ("held", "Held"), ("done", "Done"), ("closed", "Closed"))

    state = forms.ChoiceField(choices=STATES, required=False)
    before = forms.IntegerField(min_value=1, max_value=2**63 - 1, required=False)


class OverlapForm(forms.Form):
    required = forms.IntegerField(label="People to judge it", min_value=1, max_value=MOST_PEOPLE)
