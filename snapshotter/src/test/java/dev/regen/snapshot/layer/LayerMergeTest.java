package dev.regen.snapshot.layer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Layers made by hand become one: what GNU tar finds in it. */
final class LayerMergeTest {
  @TempDir private Path directory;

  @Test
  void whatALaterLayerDeletesIsNowhereInIt() throws IOException {
    byte[] merged =
        merged(
            tar().directory("d/").file("d/secret", "TOP-SECRET").file("d/kept", "kept"),
            tar().directory("d/").file("d/.wh.secret", ""));

    assertThat(listing(merged)).containsExactly("d d/", "- d/kept kept");
    assertThat(text(merged)).doesNotContain("TOP-SECRET").doesNotContain(".wh.");
  }

  @Test
  void ofHardLinksTheNamesThatAreLeftAreOneFile() throws IOException {
    byte[] merged =
        merged(
            tar().file("a", "of all").hardLink("b", "a").hardLink("c", "./a"),
            tar().file(".wh.a", ""));

    assertThat(listing(merged)).containsExactlyInAnyOrder("- b of all", "- c of all");
    assertThat(text(merged)).containsOnlyOnce("of all");
  }

  @Test
  void hardLinkOfAFileThatALaterLayerReplacedKeepsTheFormerContent() throws IOException {
    byte[] merged = merged(tar().file("a", "former").hardLink("b", "a"), tar().file("a", "latter"));

    assertThat(listing(merged)).containsExactlyInAnyOrder("- a latter", "- b former");
  }

  @Test
  void hardLinkToAFileOfALowerLayerIsOne() throws IOException {
    byte[] merged = merged(tar().file("a", "lower"), tar().hardLink("b", "a"));

    assertThat(listing(merged)).containsExactlyInAnyOrder("- a lower", "- b lower");
  }

  @Test
  void whiteoutHidesNothingOfItsOwnLayer() throws IOException {
    byte[] merged =
        merged(
            tar().directory("d/").file("d/lower", "").file("f", "lower"),
            tar()
                .directory("d/")
                .file("d/upper", "upper")
                .file("d/.wh..wh..opq", "")
                .file("f", "upper")
                .file(".wh.f", ""));

    assertThat(listing(merged)).containsExactly("d d/", "- d/upper upper", "- f upper");
  }

  @Test
  void directoryThatOnlyLiesOnAWayTakesThePlaceOfALowerLink() throws IOException {
    byte[] merged =
        merged(
            tar().directory("usr/").file("usr/x", "x").symlink("lib", "usr"),
            tar().file("lib/y", "y"));

    assertThat(listing(merged)).containsExactly("d usr/", "- usr/x x", "- lib/y y");
  }

  @Test
  void directoryComesBeforeWhatIsInItWhicheverLayerDescribesIt() throws IOException {
    byte[] merged =
        merged(
            tar().file("d/e/f", "f"), tar().directory("d/"), tar().directory("./").file("g", "g"));

    assertThat(listing(merged)).containsExactly("d ./", "d d/", "- d/e/f f", "- g g");
  }

  @Test
  void otherToolsWaysToWriteAPathAreRead() throws IOException {
    byte[] merged =
        merged(
            tar().directory("/").file("/a", "a").file(".wh..wh.aufs", "").file("./b", "b"),
            tar().hardLink("/c", "/a").device('3', "b", 0, 0));

    assertThat(listing(merged)).containsExactlyInAnyOrder("d ./", "- a a", "- c a");
  }

  @Test
  void theSameLayersAreTheSameBytes() throws IOException {
    TarBytes first = tar().file("a", "a").directory("d/").file("d/b", "b");
    TarBytes second = tar().file(".wh.a", "").hardLink("c", "d/b");

    assertThat(merged(first, second)).isEqualTo(merged(first, second));
  }

  @Test
  void whatCannotBeMergedIsRefusedWithLayerAndEntry() {
    refused("layer 1: b: is a hard link of what is no file there", tar(), tar().hardLink("b", "a"));
    refused(
        "layer 0: d/f: lies beneath what is no directory", tar().symlink("d", "e").file("d/f", ""));
    refused("layer 0: ../f: its path leads upwards", tar().file("../f", ""));
    refused(
        "layer 0: d/: has an attribute of overlay's own",
        tar().pax("SCHILY.xattr.trusted.overlay.opaque", "y").directory("d/"));
    refused("layer 0: .: its root is no directory", tar().file(".", ""));
  }

  @Test
  void moreNamesThanAllowedAreRefused() {
    List<LayerMerge.Layer> layers = layers(tar().file("a", "").file("b/c", "").file("d", ""));

    assertThatThrownBy(() -> LayerMerge.of(layers, 3))
        .isInstanceOf(BadLayerException.class)
        .hasMessageContaining("layer 0: d: with it the image has more than 3 names");
  }

  @Test
  void layerThatIsAnotherThanItsDigestSaysIsDamaged() {
    byte[] bytes = tar().file("a", "").end();
    Digest other = Digest.of(ByteBuffer.wrap(new byte[1]));

    assertThatThrownBy(() ->
            LayerMerge.of(
                List.of(
                    new LayerMerge.Layer("layer 0", other, () -> new ByteArrayInputStream(bytes)))))
        .isInstanceOf(RegenException.Damaged.class)
        .hasMessageContaining("what the store has of layer 0 is another's");
  }

  @Test
  void pathOfMoreNamesThanAStackHasRoomForIsMergedAndDeleted() throws IOException {
    String deep = "d/".repeat(30_000);
    TarBytes below = tar().pax("path", deep + "f").file("x", "deep").file("kept", "");

    byte[] merged = merged(below);
    byte[] without = merged(below, tar().directory("d/").file("d/.wh..wh..opq", ""));

    assertThat(text(merged)).contains("deep");
    assertThat(listing(without)).containsExactlyInAnyOrder("- kept ", "d d/");
  }

  private static TarBytes tar() {
    return new TarBytes();
  }

  private static void refused(String words, TarBytes... layers) {
    assertThatThrownBy(() -> merged(layers))
        .isInstanceOf(BadLayerException.class)
        .hasMessageContaining(words);
  }

  private static byte[] merged(TarBytes... layers) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    LayerMerge.of(layers(layers))
        .write(some -> {
          byte[] bytes = new byte[some.remaining()];
          some.get(bytes);
          out.writeBytes(bytes);
        });
    return out.toByteArray();
  }

  private static List<LayerMerge.Layer> layers(TarBytes... layers) {
    List<LayerMerge.Layer> all = new ArrayList<>();
    for (TarBytes layer : layers) {
      byte[] bytes = new TarBytes().raw(layer.unended()).end();
      all.add(
          new LayerMerge.Layer("layer " + all.size(), null, () -> new ByteArrayInputStream(bytes)));
    }
    return all;
  }

  /** What GNU tar lists, with the content of each file that it unpacks. */
  private List<String> listing(byte[] tar) throws IOException {
    Files.write(directory.resolve("merged.tar"), tar);
    String script =
        """
        rm -rf out; mkdir out; tar -C out -xf merged.tar
        tar -tvf merged.tar | while read -r mode _ _ _ _ path; do
          path=${path%% *}
          case $mode in
            d*) echo "d $path";;
            l*) echo "l $path";;
            *) echo "- $path $(cat "out/$path")";;
          esac
        done
        """;
    return Tool.bash(directory, script).lines().toList();
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.ISO_8859_1);
  }
}
