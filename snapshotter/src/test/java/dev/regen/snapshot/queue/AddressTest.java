package dev.regen.snapshot.queue;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.regen.runtime.QueueName;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.SnapshotId;
import java.time.Instant;
import java.time.ZoneId;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The host is in Berlin, an hour ahead of UTC in November. */
final class AddressTest {
  private static final ZoneId BERLIN = ZoneId.of("Europe/Berlin");

  private static final QueueContent QUEUE =
      QueueContent.empty(new QueueName("desk"), 9)
          .appended(element("1111aaaa", "2026-11-20T23:30:00Z"), null) // the 21st in Berlin
          .appended(element("1111bbbb", "2026-11-22T08:00:05.250Z"), null)
          .appended(element("20261122", "2026-11-22T08:00:30Z"), null)
          .appended(element("dddddddd", "2026-11-22T12:00:00Z"), null);

  @ParameterizedTest
  @CsvSource({
    "latest, dddddddd",
    "-1, 20261122",
    "-3, 1111aaaa",
    "2026-11-22T08:00:05.250Z, 1111bbbb",
    "2026-11-22T09:00:05.250+01:00, 1111bbbb",
    "2026-11-22T08:00:05.249Z, 1111aaaa",
    "2026-11-22T08:00:05Z, 1111aaaa",
    "2026-11-22T09:00:05, 1111bbbb",
    "2026-11-22t09:00:04, 1111aaaa",
    "2026-11-22T09:00, 20261122",
    "2026-11-22 09, 20261122",
    "2026-11-22T08:59, 1111aaaa",
    "2026-11-22, dddddddd",
    "2026-11-21, 1111aaaa",
    "2030-01-01, dddddddd",
    "20261122, 20261122",
    "2026, 20261122",
    "1111A, 1111aaaa",
  })
  void namesOneElement(String address, String id) throws Exception {
    assertThat(QUEUE.find(address, BERLIN).id().value()).startsWith(id);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "-",
        "--1",
        "-99999",
        "yesterday",
        "111",
        "2026-13-01",
        "2026-11-22T25:00",
        "2026-11-22T09:00:61",
        "2026-11-22T09:00:00+99:00",
        "../etc",
        "2026-11-22T",
        "latest\n"
      })
  void whatIsNoAddressIsMisuse(String address) {
    assertThatThrownBy(() -> QUEUE.find(address, BERLIN))
        .isInstanceOf(RegenException.Misuse.class)
        .hasMessageNotContaining("\n");
    assertThatThrownBy(() -> QueueContent.checkAddress(address))
        .isInstanceOf(RegenException.Misuse.class);
    assertThatThrownBy(() -> QueueContent.empty(new QueueName("new"), 5).find(address, BERLIN))
        .as("of an empty queue, too")
        .isInstanceOf(RegenException.Misuse.class);
  }

  @Test
  void whatNamesSeveralIsBadInput() {
    assertThatThrownBy(() -> QUEUE.find("1111", BERLIN))
        .isInstanceOf(RegenException.BadInput.class);
  }

  @Test
  void aYearThatNamesNothingIsToldHowATimeIsWritten() {
    assertThatThrownBy(() -> QUEUE.find("2027", BERLIN))
        .isInstanceOf(RegenException.NotFound.class)
        .hasMessageContaining("2026-11-22T09:00");
  }

  @Test
  void aTimeBeforeTheFirstNamesTheOldest() {
    assertThatThrownBy(() -> QUEUE.find("2026-11-20", BERLIN))
        .isInstanceOf(RegenException.NotFound.class)
        .hasMessageContaining("2026-11-20T23:30:00Z");
  }

  @ParameterizedTest
  @ValueSource(strings = {"-4", "-9999", "beef"})
  void whatIsNotThereIsNotFound(String address) {
    assertThatThrownBy(() -> QUEUE.find(address, BERLIN))
        .isInstanceOf(RegenException.NotFound.class);
  }

  @Test
  void anEmptyQueueHasNoLatest() {
    assertThatThrownBy(() -> QueueContentTest.good(3).find("latest", BERLIN))
        .isInstanceOf(RegenException.NotFound.class)
        .hasMessageContaining("no snapshot yet");
  }

  private static Element element(String id, String time) {
    String whole = (id + "0".repeat(32)).substring(0, 32);
    return new Element(new SnapshotId(whole), Instant.parse(time), Elements.good(1).end());
  }
}
