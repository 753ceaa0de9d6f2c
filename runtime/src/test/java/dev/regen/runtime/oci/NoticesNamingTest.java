package dev.regen.runtime.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.regen.runtime.durable.LocalDisk;
import dev.regen.runtime.oci.HookCall.Verb;
import dev.regen.runtime.oci.OverlayHost.Created;
import dev.regen.runtime.overlay.TreeRemoval;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What is told names container, queue and snapshot as a person does. */
final class NoticesNamingTest {
  @SuppressWarnings("NullAway.Init")
  private Path root;

  @SuppressWarnings("NullAway.Init")
  private OverlayHost host;

  @BeforeEach
  void start() throws IOException {
    assumeTrue(Files.isWritable(Path.of("/var/lib")), "needs root: it mounts overlays");
    root = Files.createTempDirectory(Path.of("/var/lib"), "regen-test-");
    host = new OverlayHost(root);
  }

  @AfterEach
  void stop() throws IOException {
    host.close();
    TreeRemoval.remove(root);
  }

  @Test
  void refusalForAWrongLabelNamesTheContainerAndItsQueue() throws IOException {
    Created container = host.create(true);
    host.inRecord(container, "\"regen.keeps\":\"3\"", "\"regen.keep\":\"many\"");

    Answer answer = host.extension(new LocalDisk()).handle(container.call(Verb.CREATE, false));

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
      Created container = host.create(true);
      host.extension(new LocalDisk()).handle(container.call(Verb.CREATE, false));
      host.started(container);
      Files.writeString(container.merged().resolve("file"), "content");
      host.extension(new LocalDisk()).handle(container.call(Verb.DELETE, false));
      host.gone(container);
      host.archive();
    }

    assertThat(host.told).anyMatch(told -> told.matches("REGENERATED .* snapshot [0-9a-f]{12}"));
  }
}
