"""Baselines: from a downloaded data set to a scored submission, by recipe.

One recipe a file in `recipes/`, one step a file in `steps/`::

    recipe          a TOML file → Recipe
    job             what one call is about: a recipe, where its files are, what it may use
    training_set    the training cases of a recipe, found and checked
    test_sets       the images and references that it is tested on
    predicted       the cases to predict, and where their label maps are
    steps/          prepare, plan, train, predict, submit: what each would do, and doing it
    nnunet/         all that touches nnunetv2 and torch, in programs of their own
    programs        starts them
    external        methods that others have trained
    components      largest component of each vertebra
    provenance      what a result was made with
    command         `ctspine-baseline`, the only place that prints and exits

Every step can be repeated: what is there is kept, what was interrupted goes on.
"""
