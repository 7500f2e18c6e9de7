"""Files of any system by a layout: opened as sheets of cells (`sources`), of which one is read
(`choosing`); `recognise` finds the ready-made layout of a file, and `look` shows what comes of it.
"""
