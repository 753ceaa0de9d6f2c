package dev.regen.runtime.oci;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.runtime.oci.HookCall.Verb;
import dev.regen.runtime.oci.OverlayHost.Created;
import java.io.IOException;
import java.nio.file.Files;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** What is told names container, queue and snapshot as a person does. */
final class NoticesNamingTest {
  @AutoClose private final OverlayHost host;

  NoticesNamingTest() throws IOException {
    host = new OverlayHost();
  }

  @Test
  void refusalForAWrongLabelNamesTheContainerAndItsQueue() throws IOException {
    Created container = host.create(true);
    host.inRecord(container, "\"regen.keeps\":\"3\"", "\"regen.keep\":\"many\"");

    Answer answer = host.handle(container, Verb.CREATE);

    assertThat(answer.line()).contains("container desk is not started: label regen.keep: 'many'");
    assertThat(host.told)
        .singleElement()
        .asString()
        .startsWith("REFUSED container desk is not started");
    assertThat(host.toldOf).containsExactly("desk");
  }

  @Test
  void startIsToldWithTheSnapshotsShortenedId() throws IOException {
    for (int run = 1; run <= 2; run++) {
      Created container = host.running(true);
      Files.writeString(container.merged().resolve("file"), "content");
      host.end(container);
      host.archive();
    }

    assertThat(host.told).anyMatch(told -> told.matches("REGENERATED .* snapshot [0-9a-f]{12}"));
  }
}
