"""Local time as the machine's C library tells it: any TZ that it knows will do, POSIX rules too."""

import time
from calendar import timegm
from datetime import UTC, datetime, timedelta, tzinfo


class LocalTime(tzinfo):
    """The machine's time zone, with its changes between summer and winter."""

    def utcoffset(self, moment: datetime | None, /) -> timedelta:
        return timedelta(seconds=self._at(moment).tm_gmtoff)

    def dst(self, moment: datetime | None, /) -> timedelta:
        found = self._at(moment)
        return timedelta(seconds=found.tm_gmtoff + time.timezone if found.tm_isdst > 0 else 0)

    def tzname(self, moment: datetime | None, /) -> str:
        return self._at(moment).tm_zone

    def fromutc(self, moment: datetime, /) -> datetime:
        """As `tzinfo.fromutc`; of an hour that comes twice the second is told by `fold`."""
        seconds = timegm(moment.timetuple())
        offset = timedelta(seconds=time.localtime(seconds).tm_gmtoff)
        local = moment + offset
        again = self.utcoffset(local.replace(fold=0)) != offset
        return local.replace(fold=int(again))

    def _at(self, moment: datetime | None) -> time.struct_time:
        if moment is None:
            return time.localtime()
        naive = moment.replace(tzinfo=None)
        seconds = naive.replace(tzinfo=UTC).timestamp()
        # Both offsets around the moment are tried, as the standard library does for local times.
        first = time.localtime(seconds - time.localtime(seconds - 86400).tm_gmtoff)
        second = time.localtime(seconds - time.localtime(seconds + 86400).tm_gmtoff)
        fits = [each for each in (first, second) if timegm(each) == int(seconds)]
        if not fits:  # the hour that is left out in spring is told by the offset before it
            return first if moment.fold else second
        return fits[-1] if moment.fold else fits[0]
