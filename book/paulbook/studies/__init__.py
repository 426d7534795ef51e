"""Studies of the method: what was asked, what was run, what came out.

===================  ======================================================================================
settings, studies    what an arm is made of; every study with its question, arms and seeds
trial, runner        one arm on one seed; all trials of a study in processes, and going on after a stop
receipts             the files that a study leaves, and reading them back
statistics           confidence intervals over people and over seeds, prediction intervals, t-tests
significance         Holm's correction, power, and what worlds and trainings add to the variation
compare, families    what differs between two receipts; all comparisons of a study, corrected together
tables               a receipt as a table; the list of studies
single               the receipt of one network, for ``paulbook evaluate --receipt``
rivals               instance discrimination, and learning from clusters
rows, clusters       what the rivals remember; DBSCAN on Jaccard distances
failures, rankings   where the method fails, group by group; whole rankings, worked out once
groups               the study of failures
signals, followed    which unlabelled signals follow the hidden score; runs with their histories
real                 the comparison on Market-1501
commands             ``paulbook experiment``, ``paulbook compare`` and ``paulbook evaluate``
===================  ======================================================================================

Nothing is imported here, so that the command line starts quickly: take what you need from its module.
"""
