include: "workflow/Snakefile"


# An included file does not hand on its default target.
rule default:
    default_target: True
    input:
        rules.all.input,
    localrule: True
