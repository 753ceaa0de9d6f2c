package dev.regen.snapshot.layer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdOutputStream;
import dev.regen.runtime.overlay.TreeRemoval;
import dev.regen.snapshot.Archive;
import dev.regen.snapshot.RegenException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.SequenceInputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Layers made to do harm, byte by byte; each is refused and nothing outside the target changes. */
final class LayerImportHostileTest {
  private static final LayerImport.Limits LIMITS = new LayerImport.Limits(1_000, 64 << 20);
  private static final String OUTSIDE = "find outside -printf '%p %i %y %m %U %G %s %n %C@ %T@\\n'";
  private static final long FUZZ_NANOS = 5_000_000_000L;

  @TempDir Path directory;
  private Path target = Path.of("");
  private String outsideBefore = "";

  @BeforeEach
  void somethingOutside() throws IOException {
    assumeTrue(Tool.isRoot(), "making owners and devices takes root");
    target = directory.resolve("target");
    Tool.bash(
        directory, "mkdir -p outside/below; echo secret > outside/secret; chmod 600 outside/*");
    outsideBefore = Tool.bash(directory, OUTSIDE);
  }

  @AfterEach
  void nothingOutsideChanged() throws IOException {
    assertThat(Tool.bash(directory, OUTSIDE)).isEqualTo(outsideBefore);
  }

  @Test
  void aNameThatLeadsUpwards() {
    refused(tar().file("../outside/secret", "x"), "../outside/secret", "upwards");
    refused(tar().directory("a/").file("a/../../outside/new", "x"), "upwards");
    refused(tar().directory(".."), "upwards");
    refused(tar().pax("path", "a/..").file("a", "x"), "upwards");
  }

  @Test
  void anAbsoluteName() {
    refused(tar().file(directory + "/outside/new", "x"), "absolute");
    refused(tar().pax("path", "/etc/new").file("a", "x"), "/etc/new", "absolute");
  }

  @Test
  void aPathThroughASymbolicLink() {
    refused(tar().symlink("a", "../outside").file("a/new", "x"), "a/new", "symbolic link");
    refused(tar().symlink("a", directory + "/outside").directory("a/new/"), "symbolic link");
    refused(tar().symlink("a", ".").file("a/b", "x"), "symbolic link");
  }

  @Test
  void aDirectoryOverASymbolicLink() {
    refused(tar().symlink("a", "../outside/below").directory("a/"), "a", "twice");
  }

  @Test
  void aFileOverASymbolicLink() {
    refused(tar().symlink("a", "../outside/secret").file("a", "x"), "twice");
  }

  @Test
  void aWhiteoutMarkThroughASymbolicLink() {
    refused(tar().symlink("a", "../outside").file("a/.wh..wh..opq", ""), "symbolic link");
    refused(tar().symlink("a", "../outside").file("a/.wh.secret", ""), "symbolic link");
  }

  @Test
  void aHardLinkToOutside() {
    refused(tar().hardLink("a", "../outside/secret"), "upwards");
    refused(tar().hardLink("a", directory + "/outside/secret"), "absolute");
    refused(tar().symlink("s", "../outside").hardLink("a", "s/secret"), "symbolic link");
  }

  @Test
  void aHardLinkToWhatIsNotThereYetOrIsNoFile() {
    refused(tar().hardLink("a", "b").file("b", "x"), "not in the layer before it");
    refused(tar().hardLink("a", "b/c"), "not in the layer before it");
    refused(tar().directory("d/").hardLink("a", "d"), "no file");
    refused(tar().hardLink("a", "."), "no file");
    refused(tar().file(".wh.gone", "").hardLink("a", "gone"), "no file");
    refused(tar().file(".wh.gone", "").hardLink("a", ".wh.gone"), "no file");
  }

  @Test
  void theSameNameTwice() {
    refused(tar().file("a", "x").file("a", "y"), "twice");
    refused(tar().file("a", "x").directory("a/"), "twice");
    refused(tar().directory("a/").file("a", "y"), "twice");
    refused(tar().file("a", "x").file(".wh.a", ""), "twice");
    refused(tar().file(".wh.a", "").file("a", "x"), "twice");
    refused(tar().file(".wh.a", "").directory("a"), "twice");
    refused(tar().file("a", "x").file("a/b", "y"), "no directory");
  }

  @Test
  void aDirectoryTwiceHasTheAttributesOfItsLastEntry() throws IOException {
    byte[] layer =
        tar()
            .pax("SCHILY.xattr.user.first", "1", "mtime", "5")
            .directory("a/")
            .file("a/x", "x")
            .file("b", "b")
            .pax("SCHILY.xattr.user.second", "2", "mtime", "-1.5")
            .directory("./a")
            .file("a/y", "y")
            .end();

    unpack(layer);

    assertThat(Tool.bash(target, "getfattr -d a | grep user")).isEqualTo("user.second=\"2\"\n");
    assertThat(Tool.bash(target, "stat -c %.3Y a")).isEqualTo("-1.500\n");
  }

  @Test
  void aDeviceThatWouldPoseAsADeletion() {
    refused(tar().device('3', "a", 0, 0), "0/0");
    refused(tar().device('3', "a", 4096, 0), "device number");
    refused(tar().device('4', "a", 1, 0x100000), "device number");
  }

  @Test
  void attributesThatNoArchiveMaySet() {
    for (String name :
        new String[] {
          "trusted.overlay.opaque",
          "trusted.overlay.redirect",
          "trusted.anything",
          "user.overlay.opaque",
          "security.selinux",
          "security.ima",
          "system.other",
          "user.",
          "",
        }) {
      refused(tar().pax("SCHILY.xattr." + name, "y").directory("a/"), "extended attribute");
    }
  }

  @Test
  void malformedCapabilitiesAndAcls() {
    refused(tar().pax("SCHILY.xattr.security.capability", "y").file("a", ""), "capability");
    refused(
        tar().pax("SCHILY.xattr.security.capability", "\1\0\0\2" + "\0".repeat(16)).directory("a"),
        "capability");
    refused(
        tar().pax("SCHILY.xattr.system.posix_acl_access", "abc").file("a", ""), "access control");
  }

  @Test
  void sparseMembersOfGnuTar() {
    refused(tar().member('S', "a", ""), "-S");
    refused(tar().pax("GNU.sparse.major", "1").file("a", ""), "-S");
  }

  @Test
  void typesThatNoLayerHas() {
    refused(tar().member('D', "a", ""), "type");
    refused(tar().member('M', "a", ""), "type");
    refused(tar().raw(TarBytes.header((byte) '5', TarBytes.bytes("d"), new byte[0], 5)), "content");
    refused(tar().pax("size", "512").hardLink("a", "b"), "content");
  }

  @Test
  void namesThatMeanSomethingElse() {
    refused(tar().file(".wh..wh..plnk", ""), "whiteout");
    refused(tar().file(".wh..wh.aufs", ""), "whiteout");
    refused(tar().file(".wh.", ""), "whiteout");
    refused(tar().file(".wh..", ""), "whiteout");
    refused(tar().file(".wh...", ""), "whiteout");
    refused(tar().file(".wh..wh.regen.a", ""), "whiteout");
    refused(tar().directory(".wh.a/"), "whiteout");
    refused(tar().file(".wh.a/b", "x"), "whiteout");
    refused(tar().file(".wh.a", "content"), "whiteout");
    refused(tar().symlink(".wh.a", "b"), "whiteout");
    refused(tar().file(".wh..wh..opq", ""), "root");
    refused(tar().pax("path", "a\0b").file("a", "x"), "zero byte");
    refused(tar().pax("linkpath", "a\0b").symlink("a", "x"), "zero byte");
    refused(tar().pax("path", "n".repeat(256)).file("a", "x"), "255");
    refused(tar().pax("path", "n/".repeat(40_000)).directory("a"), "longer than");
    refused(tar().file("", "x"), "no name");
    refused(tar().symlink(".", "a"), "no directory");
  }

  @Test
  void aTargetThatIsTooLongOrEmpty() {
    refused(tar().symlink("a", ""), "empty");
    refused(tar().pax("linkpath", "x".repeat(4096)).symlink("a", ""), "too long");
  }

  @Test
  void sizesThatCannotBe() {
    byte[] negative = TarBytes.header((byte) '0', TarBytes.bytes("a"), new byte[0], 0);
    Arrays.fill(negative, 124, 136, (byte) 0xFF);
    refused(tar().raw(TarBytes.summed(negative)), "negative");
    byte[] huge = TarBytes.header((byte) '0', TarBytes.bytes("a"), new byte[0], 0);
    huge[124] = (byte) 0x80;
    huge[125] = 1;
    refused(tar().raw(TarBytes.summed(huge)), "too large");
    refused(tar().pax("size", "-1").file("a", ""), "wrong digit");
    refused(tar().pax("size", "99999999999999999999").file("a", ""), "too long");
    refused(tar().pax("size", "9223372036854775807").file("a", ""), "limit");
    byte[] digit = TarBytes.header((byte) '0', TarBytes.bytes("a"), new byte[0], 0);
    digit[130] = '9';
    refused(tar().raw(TarBytes.summed(digit)), "wrong digit");
  }

  @Test
  void aTerabyteInAFewBytesIsRefusedBeforeAnyOfItIsWritten() {
    refused(tar().pax("size", Long.toString(1L << 40)).file("sparse", ""), "sparse", "limit");
  }

  @Test
  void idsThatMeanLeaveAsItIs() {
    refused(tar().pax("uid", "4294967295").file("a", ""), "user id");
    refused(tar().pax("gid", "4294967296").file("a", ""), "group id");
  }

  @Test
  void paxHeadersOutOfBounds() {
    refused(
        tar().raw(TarBytes.header((byte) 'x', TarBytes.bytes("p"), new byte[0], 1 << 30)),
        "1048576");
    refused(
        tar().raw(TarBytes.header((byte) 'L', TarBytes.bytes("p"), new byte[0], (1 << 20) + 1)),
        "1048576");
    refused(paxOf("9999 path=a\n"), "length");
    refused(paxOf("3 path=a\n"), "length");
    refused(paxOf("path=a\n"), "PAX");
    refused(paxOf("8 path=a"), "length");
    refused(paxOf("7 patha\n"), "PAX");
    refused(paxOf("0 path=a\n"), "length");
    refused(tar().pax("mtime", "1").pax("mtime", "2").file("a", ""), "two long headers");
    refused(tar().pax("mtime", "x").file("a", ""), "digit");
    refused(
        tar()
            .content((byte) 'g', TarBytes.bytes("g"), TarBytes.bytes(TarBytes.record("path", "a"))),
        "global");
  }

  @Test
  void tooManyEntries() {
    TarBytes many = tar();
    for (int i = 0; i < 1_001; i++) {
      many.file("f" + i, "");
    }
    refused(many, "more than 1000 entries");
  }

  @Test
  void theDefaultLimitRefusesTenMillionEntries() throws IOException {
    assertThat(LayerImport.Limits.of(directory).entriesMax())
        .isEqualTo(Archive.ENTRIES_MAX)
        .isLessThan(10_000_000);
    assertThat(LayerImport.Limits.of(directory).bytesMax())
        .isLessThanOrEqualTo(Files.getFileStore(directory).getTotalSpace());
  }

  @Test
  void aStreamCutOffAnywhere() throws IOException {
    byte[] whole = tar().directory("d/").pax("mtime", "1.5").file("d/a", "x".repeat(700)).end();
    for (int length = 0; length < whole.length; length += 100) {
      int cut = length;
      assertThatThrownBy(() -> unpack(Arrays.copyOf(whole, cut)))
          .as("cut at %d", cut)
          .isInstanceOf(RegenException.BadInput.class);
      assertThat(target).doesNotExist();
    }
    byte[] compressed = Zstd.compress(whole);
    for (int length = 1; length < compressed.length; length++) {
      int cut = length;
      assertThatThrownBy(() -> unpack(Arrays.copyOf(compressed, cut)))
          .as("zstd cut at %d", cut)
          .isInstanceOf(RegenException.BadInput.class);
    }
    byte[] gzip = gzip(whole);
    for (int length = 2; length < gzip.length; length++) {
      int cut = length;
      assertThatThrownBy(() -> unpack(Arrays.copyOf(gzip, cut)))
          .as("gzip cut at %d", cut)
          .isInstanceOf(RegenException.BadInput.class);
    }
  }

  @Test
  void aFlippedBitInAnyHeaderByte() throws IOException {
    byte[] whole = tar().directory("d/").end();
    for (int i = 0; i < 512; i++) {
      byte[] flipped = whole.clone();
      flipped[i] ^= 4;
      assertThatThrownBy(() -> unpack(flipped))
          .as("byte %d", i)
          .isInstanceOf(RegenException.BadInput.class);
    }
  }

  @Test
  void moreAfterTheEnd() {
    byte[] whole = tar().file("a", "x").end();
    refused(tar().raw(whole).raw(TarBytes.bytes("garbage")).unended(), "after its end");
    refused(tar().raw(whole).file("b", "y").end(), "after its end");
    refused(tar().raw(whole).raw(new byte[2 << 20]).unended(), "after its end");
    refused(tar().file("a", "x").raw(new byte[512]).file("b", "y").end(), "zeros");
    byte[] compressed = Zstd.compress(whole);
    refused(tar().raw(compressed).raw(TarBytes.bytes("garbage")).unended(), "refused");
  }

  @Test
  void nothingAndNonsense() {
    refused(new byte[0], "no tar");
    refused(TarBytes.bytes("hello"), "no tar");
    refused(TarBytes.bytes("hello".repeat(1000)), "no tar");
    byte[] nonsense = new byte[10_000];
    new Random(1).nextBytes(nonsense);
    refused(nonsense, "refused");
    refused(TarBytes.bytes("\u001f\u008bnonsense that is no gzip"), "refused");
    refused(TarBytes.bytes("(\u00b5/\u00fdnonsense that is no zstd"), "refused");
  }

  @Test
  void aZstdBombIsStoppedAtTheLimit() throws IOException {
    ByteArrayOutputStream bomb = new ByteArrayOutputStream();
    try (OutputStream zstd = new ZstdOutputStream(bomb, 1)) {
      zstd.write(tar().pax("size", Long.toString(60L << 20)).file("zeros", "").unended());
      byte[] zeros = new byte[1 << 20];
      for (int i = 0; i < 2_048; i++) {
        zstd.write(zeros);
      }
    }
    assertThat(bomb.size()).isLessThan(1 << 20);

    refused(bomb.toByteArray(), "refused");
  }

  @Test
  void aWindowThatNeedsTooMuchMemory() throws IOException {
    Path whole = directory.resolve("whole");
    Files.write(whole, tar().file("a", "x").end());
    Tool.bash(
        directory,
        "head -c 100000 /dev/zero >> whole; cat whole | zstd -q --ultra --long=30 > wide");
    byte[] wide = Files.readAllBytes(directory.resolve("wide"));

    refused(wide, "damaged");
  }

  @Test
  void aFailingStreamLeavesNothing() {
    byte[] start = tar().directory("d/").unended();
    InputStream failing =
        new InputStream() {
          @Override
          public int read() throws IOException {
            throw new IOException("the network is gone");
          }

          @Override
          public int read(byte[] into, int offset, int length) throws IOException {
            throw new IOException("the network is gone");
          }
        };

    assertThatThrownBy(() ->
            new LayerImport()
                .unpack(
                    new SequenceInputStream(new ByteArrayInputStream(start), failing),
                    target,
                    LIMITS))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("the network is gone");
    assertThat(target).doesNotExist();
  }

  @Test
  void mutatedLayersNeverReachOutside() throws IOException {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    byte[] layer = everything();
    long until = System.nanoTime() + FUZZ_NANOS;
    int accepted = 0;
    int rounds = 0;
    for (; System.nanoTime() < until; rounds++) {
      byte[] mutated = mutated(layer, random);
      try {
        unpack(mutated);
        accepted++;
      } catch (IOException expected) {
        assertThat(target).as("seed %d round %d: %s", seed, rounds, expected).doesNotExist();
      } catch (RuntimeException | Error e) {
        throw new AssertionError("seed " + seed + " round " + rounds, e);
      }
      TreeRemoval.remove(target);
      if (rounds % 500 == 0) {
        assertThat(Tool.bash(directory, OUTSIDE)).as("seed %d", seed).isEqualTo(outsideBefore);
      }
    }
    assertThat(directory.toFile().list()).containsExactly("outside");
    assertThat(rounds).as("rounds, %d accepted", accepted).isGreaterThan(100);
  }

  /** Breaks a few bytes, mostly of headers, and mostly mends the checksums afterwards. */
  private static byte[] mutated(byte[] layer, Random random) {
    byte[] mutated = layer.clone();
    int blocks = mutated.length / 512;
    for (int i = random.nextInt(4); i >= 0; i--) {
      int block = random.nextInt(blocks);
      if (random.nextInt(8) == 0) {
        System.arraycopy(layer, random.nextInt(blocks) * 512, mutated, block * 512, 512);
      } else {
        byte[] odd = TarBytes.bytes("./\0\u00ff1230xLKgS579");
        int at = block * 512 + random.nextInt(random.nextBoolean() ? 160 : 512);
        mutated[at] =
            random.nextBoolean() ? odd[random.nextInt(odd.length)] : (byte) random.nextInt(256);
      }
    }
    for (int block = 0; block < blocks; block++) {
      byte[] header = Arrays.copyOfRange(mutated, block * 512, block * 512 + 512);
      if (header[257] == 'u' && random.nextInt(20) != 0) {
        System.arraycopy(TarBytes.summed(header), 0, mutated, block * 512, 512);
      }
    }
    return random.nextInt(10) == 0
        ? Arrays.copyOf(mutated, random.nextInt(mutated.length))
        : mutated;
  }

  private static byte[] everything() {
    return tar()
        .directory("./")
        .directory("outside/")
        .symlink("out", "../outside")
        .file("outside/secret", "mine")
        .hardLink("second", "outside/secret")
        .device('3', "null", 1, 3)
        .member('6', "fifo", "")
        .file(".wh.gone", "")
        .file("outside/.wh..wh..opq", "")
        .pax("path", "outside/long/" + "n".repeat(200), "mtime", "-1.5", "uid", "3000000")
        .file("short", "content of a file")
        .pax("SCHILY.xattr.user.a", "\0\1\n=", "linkpath", "../outside/secret")
        .symlink("x", "")
        .content((byte) 'L', TarBytes.bytes("L"), TarBytes.bytes("outside/gnu\0"))
        .file("gnu", "gnu")
        .end();
  }

  private static byte[] gzip(byte[] bytes) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
      gzip.write(bytes);
    }
    return out.toByteArray();
  }

  private static TarBytes tar() {
    return new TarBytes();
  }

  private static TarBytes paxOf(String content) {
    return tar().content((byte) 'x', TarBytes.bytes("p"), TarBytes.bytes(content));
  }

  private void refused(TarBytes tar, String... said) {
    refused(tar.end(), said);
  }

  private void refused(byte[] layer, String... said) {
    assertThatThrownBy(() -> unpack(layer))
        .isInstanceOf(RegenException.BadInput.class)
        .hasMessageContainingAll(said)
        .hasMessageEndingWith("nothing was changed");
    assertThat(Files.exists(target, LinkOption.NOFOLLOW_LINKS)).isFalse();
  }

  private void unpack(byte[] layer) throws IOException {
    new LayerImport().unpack(new ByteArrayInputStream(layer), target, LIMITS);
  }
}
