package dev.regen.runtime.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.regen.runtime.durable.LocalDisk;
import dev.regen.runtime.oci.HookCall.Verb;
import dev.regen.runtime.os.Mount;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Unions that cannot be mounted a second time, since a layer was mounted only for the moment, as
 * engines do that map the ids of image layers.
 */
final class FixedUnionTest {
  @SuppressWarnings("NullAway.Init")
  @TempDir
  private Path directory;

  @SuppressWarnings("NullAway.Init")
  private OverlayHost host;

  @BeforeEach
  void start() throws IOException {
    assumeTrue(Files.isWritable(Path.of("/proc/sys/vm/drop_caches")), "needs root");
    host = new OverlayHost(directory);
  }

  @AfterEach
  void stop() throws IOException {
    host.close();
  }

  @Test
  void nextRunSeesFilesAndDeletionsThoughTheUnionIsNeverTakenOff() throws IOException {
    RuntimeExtension extension = host.extension(new LocalDisk());
    OverlayHost.Created first = created();
    extension.handle(first.call(Verb.CREATE, false));
    host.started(first);
    Files.delete(first.merged().resolve("etc/deleted"));
    Files.createDirectories(first.merged().resolve("root/below"));
    Files.writeString(first.merged().resolve("root/below/state"), "mine");
    Files.createLink(
        first.merged().resolve("root/again"), first.merged().resolve("root/below/state"));
    extension.handle(first.call(Verb.DELETE, false));
    host.gone(first);
    host.archive();

    OverlayHost.Created second = created();
    Answer answer = extension.handle(second.call(Verb.CREATE, false));

    assertThat(answer).isEqualTo(new Answer.Go());
    assertThat(second.merged().resolve("etc/deleted")).doesNotExist();
    assertThat(second.merged().resolve("root/below/state")).hasContent("mine");
    assertThat(Files.getAttribute(second.merged().resolve("root/again"), "unix:ino"))
        .isEqualTo(Files.getAttribute(second.merged().resolve("root/below/state"), "unix:ino"));
    assertThat(host.told).anyMatch(told -> told.contains("put in file by file"));
  }

  @Test
  void containerThatDoesNotBeginIsAsItWas() throws IOException {
    RuntimeExtension extension = host.extension(new LocalDisk());
    OverlayHost.Created first = created();
    extension.handle(first.call(Verb.CREATE, false));
    host.started(first);
    Files.delete(first.merged().resolve("etc/deleted"));
    extension.handle(first.call(Verb.DELETE, false));
    host.gone(first);
    host.archive();
    OverlayHost.Created second = host.create(false);
    fix(second);
    Files.writeString(second.merged().resolve("copied-in"), "mine");
    extension.handle(second.call(Verb.CREATE, false));
    assertThat(second.merged().resolve("etc/deleted")).doesNotExist();

    extension.handle(second.call(Verb.CREATE_FAILED, false));

    assertThat(second.upper()).isDirectoryContaining(file -> file.endsWith("copied-in"));
    assertThat(second.upper().resolve("etc")).doesNotExist();
    assertThat(second.merged().resolve("etc/deleted")).exists();
  }

  private OverlayHost.Created created() throws IOException {
    OverlayHost.Created created = host.create(true);
    fix(created);
    return created;
  }

  /** Mounts again with the image bound to a place that is gone afterwards. */
  private void fix(OverlayHost.Created container) throws IOException {
    Mount.detach(container.merged());
    Path moment = Files.createDirectories(directory.resolve("moment"));
    Mount.mount(directory.resolve("image").toString(), moment, "none", Mount.BIND, new byte[0]);
    host.mount(container, moment);
    Mount.detach(moment);
    Files.delete(moment);
  }
}
