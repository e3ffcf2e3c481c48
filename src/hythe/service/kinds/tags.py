"""The tags of a subscription, which is no resource; resource groups and resources keep theirs themselves."""

from __future__ import annotations

from ...models import TagsResource
from .records import Record


class SubscriptionTags(Record[TagsResource]):
    """The kind of a subscription's tags."""

    name = "tags"
    type = "Microsoft.Resources/tags"
    noun = "tags of the subscription"
    model = TagsResource
