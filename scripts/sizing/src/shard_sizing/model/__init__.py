"""The pure model: functions of a profile, the limits, the prices and a seed."""
