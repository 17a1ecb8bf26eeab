"""What our page replaces in simcord's page and scripts, partly by functions of page.js."""

from __future__ import annotations

#: What stands on our page instead of simcord's texts.
PAGE = {
    "<title>SimCord Preview</title>": "<title>Safelight demo</title>",
    "<strong>SimCord</strong><small>Preview": "<strong>Safelight</strong><small>demo",
    'aria-hidden="true">S</span>': 'aria-hidden="true"></span>',
    ">Messages</button>": ">Guide</button>",
    "</head>": '<link rel="icon" href="/glim.png">'
    '<link rel="stylesheet" href="/safelight.css"></head>',
}
IMPORTS = (
    "import { answersPress, drawable, hasNewDefaults, hold, kept, missing, offerOptions, release }"
    ' from "/safelight.js";\n'
)
#: By script: a picture is kept while its message is edited.
MEDIA = {
    'image = node("img", className);': "image = kept(options, className, group);",
    "image.src = url;": "await drawable(url);\n"
    "    if (!current(options, trigger)) return;\n"
    "    image.src = url;",
    "trigger.replaceWith(unavailable);": "if (!image.src) trigger.replaceWith(unavailable);",
    'node("div", "media-unavailable", `${label || "Media"} unavailable`), pending': "missing("
    "options, className, group, label), pending",
}
#: Options are offered by name and explained, and filled in from the keyboard alone.
COMMANDS = {
    'if (optional) item.append(node("span", "command-suggestion-ellipsis", "…"));': "if (optional)"
    ' item.append(node("span", "command-suggestion-description", value.description));',
    "    if (remaining) {\n": "    if (remaining) {\n"
    "      offerOptions(commandElement(), optionalItems(), addOptional);\n",
    '`+${remaining} ${displayed.length ? "more" : "options"}`': "`all ${remaining} options`",
    "Math.min(24, Math.max(2, [...field.value].length + 1))": "Math.min(64, "
    "Math.max(2, [...field.value].length + 3))",
    "renderCompose({ focus: Boolean(next) });": "renderCompose({ focus: true });",
    "            const choices = autocompleteResults.get(": "            "
    "const key = autocompleteKey(currentDraft(), option.name, current);\n"
    "            if (!autocompleteResults.has(key)) queryAutocomplete(option, current);\n"
    "            const choices = autocompleteResults.get(",
    '"Loading options failed" : "No options match"': '"Loading options failed"'
    ' : autocomplete.state === "loading" ? "Loading …" : "No options match"',
}
#: The answer to one's own press is shown, wherever one reads, also when it grows.
TIMELINE = {
    "state.scrollIntent = snapshot.targetId": "state.scrollIntent = hasNewTail && answersPress()\n"
    '      ? { policy: "target", targetId: ids.at(-1) } : snapshot.targetId'
}
#: Pictures can be dragged into an open form from beside it.
WORKBENCH = {"ui.sidebar.inert = modalOpen || ": "ui.sidebar.inert = "}
#: A form is ready to be filled in.
COMPONENTS = {
    'const focus = dialog.querySelector("input': 'const focus = body.querySelector("input'
}
#: An edited message's select shows what it now selects, not what was picked in it before.
SELECTS = {
    "  const draft = draftValue(key);": "  const ours"
    " = optionDefaults(entries).slice(0, maximum);\n"
    "  if (component.type === TYPE.STRING_SELECT && dropdown?.key !== key"
    " && hasNewDefaults(key, ours)) options.onReconcileDraft?.(key, ours);\n"
    "  const draft = draftValue(key);"
}
#: What is sent while something else is being answered waits for that, instead of being lost.
ACTIONS = {
    "if (pageAction(kind)) pageIntent(kind, extra); return; }": "if (pageAction(kind)) "
    "pageIntent(kind, extra); else hold(pending, kind, context, () => "
    "dispatch(kind, extra, metadata)); return; }",
    "awaitingRevision > context.publishedRevision) return;\n    beforePage": "awaitingRevision"
    " > context.publishedRevision) { hold({}, kind, context, () => "
    "dispatch(kind, extra, metadata)); return; }\n    beforePage",
    "    const next = queries.entries().next().value;\n": "    if (release(context)) return;\n"
    "    const next = queries.entries().next().value;\n",
}
SCRIPTS = {
    "actions.js": ACTIONS,
    "components.js": COMPONENTS,
    "media.js": MEDIA,
    "selects.js": SELECTS,
    "commands.js": COMMANDS,
    "timeline.js": TIMELINE,
    "workbench.js": WORKBENCH,
}


def replace_parts(text: str, parts: dict[str, str]) -> str:
    """Replace each key of `parts` in a text by its value."""
    for theirs, ours in parts.items():
        text = text.replace(theirs, ours)
    return text


def patch_script(name: str, text: str) -> str:
    """Return one of simcord's scripts with our replacements."""
    return IMPORTS + replace_parts(text, SCRIPTS[name])
