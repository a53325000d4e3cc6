"""A valid file that compares experiments and says something of everything, to be spoilt by the tests."""

FULL = """\
title: {en: Spring tests, zh: 春季实验}
question: Which of them helped?
owner: growth
languages: [en, zh]
currency: CNY
experiments:
  path: looks.csv
  columns: {experiment: test_name, n: users}
  where: {kind: [ab]}
control: old
shares: {old: 50%, new: 25%, newer: 25%}
metrics:
  buyers: {key: conversion, kind: share, role: primary}
  amount: {unit: CNY}
  refunds: {key: refund, better: lower, unit: refunds}
correction: bh
tightest_at: 60%
labels: {amount: {en: paid amount, zh: 支付金额}}
"""
