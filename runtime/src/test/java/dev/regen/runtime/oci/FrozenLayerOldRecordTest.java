package dev.regen.runtime.oci;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.runtime.json.JsonObject;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Records that an agent before this one left in the spool and beside the runs. */
final class FrozenLayerOldRecordTest {
  private static final String LAYER =
      """
      {"version":1,"job":"desk-job","queue":"desk","keep":7,"container":"c1",\
      "tree":"/store/regen-staging/frozen-x","kind":"LISTED","upperInode":42,\
      "startedAt":"2026-11-22T08:00:00Z","endedAt":"2026-11-22T09:00:00Z",\
      "imageId":"sha256:image","imageName":"box","signal":15,"oom":true,"shimDied":true,\
      "placeholders":["/etc/hosts"],"excludes":["/tmp"],\
      "uidMap":[{"inside":0,"outside":100000,"size":65536}],\
      "gidMap":[{"inside":0,"outside":200000,"size":65536}],\
      "notHeld":["volume at /data"],"spec":{"Hostname":"desk"},"startedWithout":"no room"}\
      """;

  private static final String RUN =
      """
      {"version":1,"container":"c1","name":"desk-1","queue":"desk","keep":7,"bootId":"boot",\
      "createdAt":"2026-11-22T07:59:59Z","bundle":"/bundle","runcRoot":"/run/runc",\
      "union":{"mountPoint":"/merged","base":"/","upper":"/upper","work":"/work",\
      "options":["lowerdir=/lower"],"flags":0},"autoRemove":true,"firstStart":true,\
      "excludes":["/tmp"],"uidMap":[{"inside":0,"outside":100000,"size":65536}],"gidMap":[],\
      "imageId":"sha256:image","imageName":"box","notHeld":["volume at /data"],\
      "spec":{"Hostname":"desk"},"state":"ENDING","placed":null,"ending":%s,\
      "placeholders":["/etc/hosts"],"without":null}\
      """
          .formatted(LAYER);

  @Test
  void layerIsReadWhole() throws IOException {
    FrozenLayer layer = FrozenLayer.of(JsonObject.parse(LAYER));

    assertThat(layer.job()).isEqualTo("desk-job");
    assertThat(layer.tree()).isEqualTo(Path.of("/store/regen-staging/frozen-x"));
    assertThat(layer.kind()).isEqualTo(FrozenLayer.Kind.LISTED);
    assertThat(layer.upperInode()).isEqualTo(42);
    assertThat(layer.placeholders()).containsExactly("/etc/hosts");
    assertThat(layer.run())
        .isEqualTo(
            new SeenRun(
                Instant.parse("2026-11-22T08:00:00Z"),
                Instant.parse("2026-11-22T09:00:00Z"),
                15,
                true,
                true,
                "no room"));
    LayerFacts facts = layer.facts();
    assertThat(facts.container().value()).isEqualTo("c1");
    assertThat(facts.queue().value()).isEqualTo("desk");
    assertThat(facts.keep()).isEqualTo(7);
    assertThat(facts.excludes()).containsExactly("/tmp");
    assertThat(facts.uidMap()).isEqualTo(List.of(new FrozenLayer.IdRange(0, 100_000, 65_536)));
    assertThat(facts.gidMap()).isEqualTo(List.of(new FrozenLayer.IdRange(0, 200_000, 65_536)));
    assertThat(facts.imageId()).isEqualTo("sha256:image");
    assertThat(facts.imageName()).isEqualTo("box");
    assertThat(facts.notHeld()).containsExactly("volume at /data");
    assertThat(facts.spec().string("Hostname")).isEqualTo("desk");
  }

  @Test
  void layerOfARunWhoseBeginningIsNotKnownIsRead() throws IOException {
    JsonObject json = JsonObject.parse(LAYER).with("startedAt", null).with("startedWithout", null);

    assertThat(FrozenLayer.of(json).run().startedAt()).isNull();
    assertThat(FrozenLayer.of(json).run().startedWithout()).isNull();
  }

  @Test
  void runIsReadWithTheLayerThatWasBeingFrozen() throws IOException {
    RunRecord run = RunRecord.of(JsonObject.parse(RUN));

    assertThat(run.name()).isEqualTo("desk-1");
    assertThat(run.container().value()).isEqualTo("c1");
    assertThat(run.bootId()).isEqualTo("boot");
    assertThat(run.createdAt()).isEqualTo("2026-11-22T07:59:59Z");
    assertThat(run.runcRoot()).isEqualTo(Path.of("/run/runc"));
    assertThat(run.union().upper()).isEqualTo(Path.of("/upper"));
    assertThat(run.autoRemove()).isTrue();
    assertThat(run.firstStart()).isTrue();
    assertThat(run.facts().layer().imageName()).isEqualTo("box");
    assertThat(run.facts().layer().keep()).isEqualTo(7);
    assertThat(run.ending()).isNotNull();
  }

  @Test
  void whatIsWrittenNowHasTheMembersOfBefore() throws IOException {
    JsonObject layer = JsonObject.parse(LAYER);
    JsonObject run = JsonObject.parse(RUN);

    assertThat(FrozenLayer.of(layer).json().members().keySet())
        .containsExactlyInAnyOrderElementsOf(layer.members().keySet());
    assertThat(RunRecord.of(run).json().members().keySet())
        .containsExactlyInAnyOrderElementsOf(run.members().keySet());
  }
}
