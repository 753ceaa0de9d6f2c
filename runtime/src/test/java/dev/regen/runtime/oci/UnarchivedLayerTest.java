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

/** The next run starts, and nobody is there to archive the layer of the last one. */
final class UnarchivedLayerTest {
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
  void linkedLayerOfARemovedContainerIsTheOnlyCopyAndMovesIn() throws IOException {
    Created kept = host.create(false);
    run(kept, "kept");
    host.remove(kept);

    Created next = host.create(true);
    handle(next, Verb.CREATE);

    assertThat(next.merged().resolve("kept")).hasContent("kept");
    assertThat(host.told).last().asString().contains("merged into the next run");
  }

  @Test
  void linkedLayerOfTheSameContainerIsInTheContainerAlready() throws IOException {
    Created kept = host.create(false);
    run(kept, "first");
    host.mount(kept);
    run(kept, "second");

    assertThat(kept.upper().resolve("first")).hasContent("first");
    assertThat(host.spool().list()).hasSize(1);
    assertThat(host.spool().list().getFirst().tree().resolve("second")).hasContent("second");
  }

  @Test
  void linkedLayerOfAnotherContainerThatIsStillThereStaysInTheSpool() throws IOException {
    Created kept = host.create(false);
    run(kept, "kept");

    Created next = host.create(true);
    handle(next, Verb.CREATE);

    assertThat(host.spool().list()).hasSize(1);
    assertThat(host.spool().list().getFirst().tree().resolve("kept")).hasContent("kept");
  }

  private void run(Created container, String file) throws IOException {
    handle(container, Verb.CREATE);
    host.started(container);
    Files.writeString(container.merged().resolve(file), file);
    handle(container, Verb.DELETE);
    host.gone(container);
  }

  private void handle(Created container, Verb verb) {
    host.extension(new LocalDisk()).handle(container.call(verb, false));
  }
}
