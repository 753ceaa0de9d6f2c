package dev.regen.runtime.oci;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.runtime.oci.HookCall.Verb;
import dev.regen.runtime.oci.OverlayHost.Created;
import dev.regen.runtime.os.Mount;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/**
 * Unions that cannot be mounted a second time, since a layer was mounted only for the moment, as
 * engines do that map the ids of image layers.
 */
final class FixedUnionTest {
  @AutoClose private final OverlayHost host;

  FixedUnionTest() throws IOException {
    host = new OverlayHost();
  }

  @Test
  void nextRunSeesFilesAndDeletionsThoughTheUnionIsNeverTakenOff() throws IOException {
    Created first = created();
    host.handle(first, Verb.CREATE);
    host.started(first);
    Files.delete(first.merged().resolve("etc/deleted"));
    Files.createDirectories(first.merged().resolve("root/below"));
    Files.writeString(first.merged().resolve("root/below/state"), "mine");
    Files.createLink(
        first.merged().resolve("root/again"), first.merged().resolve("root/below/state"));
    host.end(first);
    host.archive();

    Created second = created();
    Answer answer = host.handle(second, Verb.CREATE);

    assertThat(answer).isEqualTo(new Answer.Go());
    assertThat(second.merged().resolve("etc/deleted")).doesNotExist();
    assertThat(second.merged().resolve("root/below/state")).hasContent("mine");
    assertThat(Files.getAttribute(second.merged().resolve("root/again"), "unix:ino"))
        .isEqualTo(Files.getAttribute(second.merged().resolve("root/below/state"), "unix:ino"));
    assertThat(host.told).anyMatch(told -> told.contains("put in file by file"));
  }

  @Test
  void containerThatDoesNotBeginIsAsItWas() throws IOException {
    Created first = created();
    host.handle(first, Verb.CREATE);
    host.started(first);
    Files.delete(first.merged().resolve("etc/deleted"));
    host.end(first);
    host.archive();
    Created second = host.create(false);
    fix(second);
    Files.writeString(second.merged().resolve("copied-in"), "mine");
    host.handle(second, Verb.CREATE);
    assertThat(second.merged().resolve("etc/deleted")).doesNotExist();

    host.handle(second, Verb.CREATE_FAILED);

    assertThat(second.upper()).isDirectoryContaining(file -> file.endsWith("copied-in"));
    assertThat(second.upper().resolve("etc")).doesNotExist();
    assertThat(second.merged().resolve("etc/deleted")).exists();
  }

  private Created created() throws IOException {
    Created created = host.create(true);
    fix(created);
    return created;
  }

  /** Mounts again with the image bound to a place that is gone afterwards. */
  private void fix(Created container) throws IOException {
    Mount.detach(container.merged());
    Path moment = Files.createDirectories(host.home().resolve("moment"));
    Mount.mount(host.image().toString(), moment, "none", Mount.BIND, new byte[0]);
    host.mount(container, moment);
    Mount.detach(moment);
    Files.delete(moment);
  }
}
