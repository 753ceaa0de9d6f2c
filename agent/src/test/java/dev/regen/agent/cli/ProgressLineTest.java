package dev.regen.agent.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a transfer to two servers looks like while it goes on. */
final class ProgressLineTest {
  private final StringWriter shown = new StringWriter();

  @Test
  void aPersonSeesChunksBytesTheRateOfEachServerAndTheTimeLeft() throws Exception {
    show(ProgressLine.of(new PrintWriter(shown, true), true, true));
    assertThat(shown.toString())
        .contains("sending: 10 of 30 chunks, ", " of 30.", "/s (h1:7070 ", "/s, h2:7070 ")
        .containsPattern("/s\\), [0-9]+ s left$");
  }

  @Test
  void aProgramGetsAnObjectALine() throws Exception {
    show(ProgressLine.of(new PrintWriter(shown, true), false, true));
    JsonObject last = JsonObject.parse(shown.toString().lines().toList().getLast());
    assertThat(last.number("chunks")).isEqualTo(10);
    assertThat(last.number("bytesExpected")).isEqualTo(30_000_000);
    assertThat(last.number("secondsLeft")).isBetween(1L, 10L);
    assertThat(last.objects("servers")).hasSize(2);
    assertThat(last.objects("servers").getFirst().number("bytesPerSecond")).isPositive();
  }

  @Test
  void withoutAnyOfThatAStepIsALine() throws Exception {
    show(ProgressLine.of(new PrintWriter(shown, true), false, false));
    assertThat(shown.toString()).isEqualToIgnoringNewLines("sending\n");
  }

  private static void show(ProgressLine line) throws IOException, InterruptedException {
    line.show(job(0));
    Thread.sleep(1100);
    line.show(job(10));
  }

  private static JsonObject job(long chunks) {
    return new JsonObject()
        .with("kind", "push")
        .with("subject", "desk")
        .with("step", "sending")
        .with("entries", chunks)
        .with("bytes", chunks * 1_000_000)
        .with("entriesExpected", 30)
        .with("bytesExpected", 30_000_000)
        .with(
            "servers",
            List.of(server("http://h1:7070", chunks * 700), server("http://h2:7070", chunks)));
  }

  private static JsonObject server(String name, long kilobytes) {
    return new JsonObject().with("server", name).with("bytes", kilobytes * 1000).with("atOnce", 8);
  }
}
