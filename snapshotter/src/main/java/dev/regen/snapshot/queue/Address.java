package dev.regen.snapshot.queue;

import dev.regen.snapshot.RegenException;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.time.ZoneId;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Finds the element that an address names, in the order that {@link QueueContent#find} states. */
final class Address {
  private static final Pattern BACK = Pattern.compile("-([0-9]{1,4})");
  private static final Pattern ID_PREFIX = Pattern.compile("[0-9a-fA-F]{4,32}");
  private static final Pattern YEAR_FIRST = Pattern.compile("(19|20)[0-9]{2,12}");
  private static final Pattern TIME =
      Pattern.compile(
          "(\\d{4}-\\d{2}-\\d{2})"
              + "(?:[Tt ](\\d{2})(?::(\\d{2})(?::(\\d{2})(\\.\\d{1,9})?)?)?)?"
              + "([Zz]|[+-]\\d{2}:\\d{2})?");

  private final QueueContent queue;
  private final ZoneId zone;

  Address(QueueContent queue, ZoneId zone) {
    this.queue = queue;
    this.zone = zone;
  }

  /**
   * Looks whether a text can be an address at all, of whatever queue.
   *
   * @throws RegenException.Misuse if not
   */
  static void check(String address) throws RegenException {
    Matcher time = TIME.matcher(address);
    if (time.matches()) {
      moment(time, ZoneId.systemDefault());
    } else if (!address.equals("latest")
        && !BACK.matcher(address).matches()
        && !ID_PREFIX.matcher(address).matches()) {
      throw noAddress(address);
    }
  }

  Element find(String address) throws RegenException {
    check(address);
    if (queue.elements().isEmpty()) {
      throw new RegenException.NotFound("queue " + queue.name() + " holds no snapshot yet");
    }
    if (address.equals("latest")) {
      return queue.elements().getLast();
    }
    Matcher back = BACK.matcher(address);
    if (back.matches()) {
      return back(Integer.parseInt(back.group(1)));
    }
    Matcher time = TIME.matcher(address);
    if (time.matches()) {
      return notAfter(moment(time, zone), address);
    }
    return beginningWith(address.toLowerCase(Locale.ROOT));
  }

  private Element back(int steps) throws RegenException {
    int oldest = queue.elements().size() - 1;
    int index = oldest - steps;
    if (oldest == 0 && index < 0) {
      throw new RegenException.NotFound(
          "queue " + queue.name() + " holds one snapshot only, which is @latest");
    }
    if (index < 0) {
      throw new RegenException.NotFound(
          "queue "
              + queue.name()
              + " goes back to @"
              + -oldest
              + ", which is its oldest; 'regen ls "
              + queue.name()
              + "' lists all");
    }
    return queue.elements().get(index);
  }

  private Element notAfter(Instant time, String address) throws RegenException {
    return queue.elements().reversed().stream()
        .filter(element -> !element.since().isAfter(time))
        .findFirst()
        .orElseThrow(() ->
            new RegenException.NotFound(
                "queue "
                    + queue.name()
                    + " holds nothing from "
                    + address
                    + " or before; its oldest snapshot is of "
                    + queue.elements().getFirst().since()));
  }

  private Element beginningWith(String prefix) throws RegenException {
    List<Element> found =
        queue.elements().stream()
            .filter(element -> element.id().value().startsWith(prefix))
            .toList();
    if (found.size() > 1) {
      throw new RegenException.BadInput(
          found.size() + " snapshots of queue " + queue.name() + " begin with " + prefix);
    }
    if (found.isEmpty()) {
      throw new RegenException.NotFound(
          "queue "
              + queue.name()
              + " has no snapshot whose id begins with "
              + prefix
              + hint(prefix));
    }
    return found.getFirst();
  }

  /** Digits that were meant as a time are taken for an id. */
  private static String hint(String prefix) {
    return YEAR_FIRST.matcher(prefix).matches()
        ? "; if a time is meant, it is written 2026-11-22 or 2026-11-22T09:00"
        : "";
  }

  /** The moment itself, or the last one of the period that a shortened time names. */
  private static Instant moment(Matcher time, ZoneId zone) throws RegenException {
    try {
      LocalDate date = LocalDate.parse(time.group(1));
      if (time.group(2) == null) {
        return endOf(date.atStartOfDay(), ChronoUnit.DAYS, time, zone);
      }
      int hour = Integer.parseInt(time.group(2));
      if (time.group(3) == null) {
        return endOf(date.atTime(hour, 0), ChronoUnit.HOURS, time, zone);
      }
      int minute = Integer.parseInt(time.group(3));
      if (time.group(4) == null) {
        return endOf(date.atTime(hour, minute), ChronoUnit.MINUTES, time, zone);
      }
      LocalTime clock = LocalTime.of(hour, minute, Integer.parseInt(time.group(4)), nanos(time));
      LocalDateTime at = date.atTime(clock);
      boolean exact = time.group(5) != null || time.group(6) != null;
      return exact ? instant(at, time, zone) : endOf(at, ChronoUnit.SECONDS, time, zone);
    } catch (DateTimeException e) {
      throw new RegenException.Misuse(
          "'" + time.group() + "' is no time: a part of it is larger than it can be");
    }
  }

  private static Instant endOf(LocalDateTime start, ChronoUnit period, Matcher time, ZoneId zone) {
    return instant(start.plus(1, period), time, zone).minusNanos(1);
  }

  private static Instant instant(LocalDateTime at, Matcher time, ZoneId zone) {
    String offset = time.group(6);
    if (offset == null) {
      return at.atZone(zone).toInstant();
    }
    return OffsetDateTime.parse(
            at.format(java.time.format.DateTimeFormatter.ISO_LOCAL_DATE_TIME)
                + offset.toUpperCase(Locale.ROOT))
        .toInstant();
  }

  private static int nanos(Matcher time) {
    String fraction = time.group(5);
    return fraction == null ? 0 : Integer.parseInt((fraction + "00000000").substring(1, 10));
  }

  private static RegenException noAddress(String address) {
    String shown = address.length() > 100 ? address.substring(0, 100) : address;
    return new RegenException.Misuse(
        "'"
            + shown.replaceAll("\\p{Cntrl}", "?")
            + "' addresses no snapshot: 'latest', '-1', a time such as 2026-11-22T09:00, or at"
            + " least 4 digits of an id");
  }
}
