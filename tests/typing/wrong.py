"""Uses the library wrongly: a type checker has to complain about every line that says so."""

from __future__ import annotations

import hythe
from hythe.models import Container, ContainerGroup

ContainerGroup(location=1)  # wrong
Container(name="c", image="i", ports="80")  # wrong
hythe.connect().container_groups.get("rg")  # wrong
hythe.connect().container_groups.get("rg", "web", timeout="5")  # wrong
hythe.connect().run("image", colour="red")  # wrong
hythe.connect().group("web").exec(5)  # wrong
hythe.estimate("web")  # wrong
