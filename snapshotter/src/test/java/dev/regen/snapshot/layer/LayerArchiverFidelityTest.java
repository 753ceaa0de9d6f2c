package dev.regen.snapshot.layer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.regen.snapshot.Archive;
import dev.regen.snapshot.store.MemoryChunkStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** GNU tar unpacks what was archived, and finds each kind of thing as it was. */
final class LayerArchiverFidelityTest {
  /** All that a file is, one line each; links by the number of their names, not inodes. */
  private static final String LISTING =
      "find . -printf '%p|%y|%m|%U|%G|%T@|%n|%l|' \\( -type f -printf '%s' -o -true \\)"
          + " -printf '\\n' | LC_ALL=C sort";

  private final MemoryChunkStore store = new MemoryChunkStore();
  @TempDir private Path directory;
  private Path tree;
  private Path out;

  @BeforeEach
  void directories() throws IOException {
    assumeTrue(Tool.isRoot(), "owners, devices and attributes take root");
    tree = Files.createDirectory(directory.resolve("tree"));
    out = Files.createDirectory(directory.resolve("out"));
  }

  @AfterEach
  void writableAgain() throws IOException {
    Tool.bash(directory, "chmod -R u+rwx . 2>/dev/null; rm -rf tree out");
  }

  @Test
  void permissionsOwnersAndTimesAreKept() throws IOException {
    make(
        "echo a > a; chmod 4755 a; echo b > b; chmod 2640 b; mkdir d; chmod 1777 d;"
            + "echo c > d/c; chmod 000 d/c; chown 1234:4321 b; chown 3000000:2097152 d/c;"
            + "touch -d '1969-12-31 23:59:58.25 UTC' a; touch -d '1901-01-01 UTC' b;"
            + "touch -d '2026-11-22 09:00:00.123456789 UTC' d/c; touch -d '2400-01-01 UTC' d;"
            + "touch -d '2020-01-01 UTC' .");

    assertUnpackedIsSame();
  }

  @Test
  void linksDevicesAndFifosAreKept() throws IOException {
    make(
        "echo a > a; ln a z; mkdir d; ln a d/a; ln -s nowhere s; ln s d/s2;"
            + "ln -s $(printf 'x%.0s' {1..4000}) long; mknod c c 1 3; mknod b b 259 1048575;"
            + "ln c d/c; mkfifo f; chmod 600 f");

    assertUnpackedIsSame();
  }

  @Test
  void namesOfEveryLengthAndByteAreKept() throws IOException {
    make(
        "touch a $(printf 'n%.0s' {1..255}) $'new\\nline' $'\\xff\\xfe' 'ünïcödé' ' ' '*' -- -x;"
            + "mkdir $(printf 'd%.0s' {1..150}); echo x > $(printf 'd%.0s' {1..150})/$'\\xe9';"
            + "ln $'\\xff\\xfe' $'link-\\xff'; ln -s $'\\xff' sym");

    assertUnpackedIsSame();
  }

  @Test
  void pathOfFourThousandBytesIsKept() throws IOException {
    make("for i in {1..39}; do n=$(printf \"%0100d\" $i); mkdir $n; cd $n; done; echo deep > file");

    assertUnpackedIsSame();
  }

  @Test
  void pathBeyondPathMaxIsKept() throws IOException {
    make("for i in {1..90}; do n=$(printf \"%0100d\" $i); mkdir $n; cd $n; done; echo deep > file");

    Archive archive = archive();

    String list = Tool.bash(out, "zstd -dc ../layer | tar t | tail -1 | wc -c");
    assertThat(archive.entries()).isEqualTo(92);
    assertThat(list.strip()).isEqualTo(Integer.toString(90 * 101 + 5));
  }

  @Test
  void attributesCapabilitiesAndAclsAreKept() throws IOException {
    make(
        "echo a > a; setfattr -n user.text -v hello a; setfattr -n user.binary -v 0x00ff0a3d a;"
            + "setfattr -n user.empty a; echo b > b; setcap cap_net_raw+ep b; mkdir d;"
            + "setfacl -m u:1000:rwx,g:2000:r d; setfacl -d -m u:1001:rx d;"
            + "setfattr -n user.d -v 1 d; touch e; setfattr -n user.e=q%z -v 1 e");

    assertUnpackedIsSame();
    String attributes = "getfattr -R -d -m '^(user|security.cap|system)' -e hex . | sort";
    assertThat(Tool.bash(out, attributes)).isEqualTo(Tool.bash(tree, attributes));
  }

  @Test
  void contentOfEverySizeIsKept() throws IOException {
    make(
        "for n in 0 1 511 512 513 1048575 1048576 1048577 9000001; do"
            + " head -c $n /dev/urandom > f$n; done;"
            + "truncate -s 5M s1; printf x | dd of=s1 bs=1 seek=3000000 conv=notrunc status=none;"
            + "truncate -s 40M s2; printf x | dd of=s2 bs=1 seek=20000000 conv=notrunc status=none;"
            + "truncate -s 100K s3; truncate -s 8M s4; truncate -s 30M s5; printf y >> s5");

    assertUnpackedIsSame();
    String sums = "find . -type f | sort | xargs sha256sum";
    assertThat(Tool.bash(out, sums)).isEqualTo(Tool.bash(tree, sums));
  }

  private void make(String script) throws IOException {
    Tool.bash(tree, script);
  }

  private Archive archive() throws IOException {
    Archive archive =
        new LayerArchiver(store, 2).archive(tree, ArchiveRequest.PLAIN, Progress.NONE, () -> false);
    store.layer(archive, directory.resolve("layer"));
    return archive;
  }

  private void assertUnpackedIsSame() throws IOException {
    archive();
    Tool.bash(
        out,
        "zstd -dc ../layer | tar x --xattrs --xattrs-include='*' -p --numeric-owner"
            + " --warning=no-unknown-keyword");
    assertThat(Tool.bash(out, LISTING)).isEqualTo(Tool.bash(tree, LISTING));
  }
}
