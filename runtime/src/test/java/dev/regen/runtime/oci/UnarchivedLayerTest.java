package dev.regen.runtime.oci;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.runtime.oci.HookCall.Verb;
import dev.regen.runtime.oci.OverlayHost.Created;
import java.io.IOException;
import java.nio.file.Files;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** The next run starts, and nobody is there to archive the layer of the last one. */
final class UnarchivedLayerTest {
  @AutoClose private final OverlayHost host;

  UnarchivedLayerTest() throws IOException {
    host = new OverlayHost();
  }

  @Test
  void linkedLayerOfARemovedContainerIsTheOnlyCopyAndMovesIn() throws IOException {
    Created kept = host.create(false);
    run(kept, "kept");
    host.remove(kept);

    Created next = host.create(true);
    host.handle(next, Verb.CREATE);

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
    host.handle(next, Verb.CREATE);

    assertThat(host.spool().list()).hasSize(1);
    assertThat(host.spool().list().getFirst().tree().resolve("kept")).hasContent("kept");
  }

  private void run(Created container, String file) throws IOException {
    host.handle(container, Verb.CREATE);
    host.started(container);
    Files.writeString(container.merged().resolve(file), file);
    host.end(container);
  }
}
