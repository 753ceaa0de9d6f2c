package dev.regen.snapshot.layer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.github.luben.zstd.Zstd;
import dev.regen.snapshot.Archive;
import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.Digest;
import dev.regen.snapshot.RegenException;
import dev.regen.snapshot.chunk.ChunkReader;
import dev.regen.snapshot.store.MemoryChunkStore;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Random;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The index against the tar stream it is about, as Commons Compress reads that; and damaged. */
final class EntryIndexTest {
  private final MemoryChunkStore store = new MemoryChunkStore();
  @TempDir private Path directory;

  @Test
  void everyEntryStandsWhereTheIndexSays() throws IOException {
    Archive archive = archiveOfMany();

    List<EntryIndex.Entry> entries = read(store, archive);

    try (TarFile tar = new TarFile(tar(archive))) {
      Iterator<TarArchiveEntry> members = tar.getEntries().iterator();
      for (EntryIndex.Entry entry : entries) {
        TarArchiveEntry member = members.next();
        String name = text(entry.path()) + (entry.type() == EntryIndex.Type.DIRECTORY ? "/" : "");
        assertThat(member.getName()).isEqualTo(name.equals("/") ? "./" : name);
        assertThat(entry.mode()).isEqualTo(member.getMode() & 0xFFF);
        assertThat(entry.size()).isEqualTo(member.getSize());
        Instant time = Instant.ofEpochSecond(entry.mtime().seconds(), entry.mtime().nanos());
        assertThat(time).isEqualTo(member.getLastModifiedTime().toInstant());
        assertThat(entry.dataOffset()).isEqualTo(member.getDataOffset());
        assertThat(text(entry.target())).isEqualTo(member.getLinkName());
      }
      assertThat(members.hasNext()).isFalse();
    }
  }

  @Test
  void specialEntriesKeepTheirKinds() throws IOException {
    assumeTrue(Tool.isRoot(), "devices take root");
    Path tree = Files.createDirectory(directory.resolve("kinds"));
    Tool.bash(
        tree,
        "mknod b b 8 17; mknod c c 1 3; mknod gone c 0 0; mkdir d; mkfifo p; ln c c2;"
            + "setfattr -n trusted.overlay.opaque -v y d; setfattr -n user.x -v 1 d;"
            + "chown 4000000000:5 p");

    List<EntryIndex.Entry> entries = read(store, archive(tree));

    assertThat(entries.stream().map(e -> text(e.path()) + " " + e.type()))
        .containsExactly(
            " DIRECTORY",
            "b BLOCK_DEVICE",
            "c CHARACTER_DEVICE",
            "c2 HARD_LINK",
            "d DIRECTORY",
            "d OPAQUE",
            "gone WHITEOUT",
            "p FIFO");
    assertThat(entries.get(1).rdev()).isEqualTo(8 << 8 | 17);
    assertThat(text(entries.get(3).target())).isEqualTo("c");
    assertThat(entries.get(4).hasXattrs()).isTrue();
    assertThat(entries.get(7).uid()).isEqualTo(4_000_000_000L);
  }

  @Test
  void damageIsReportedAndNothingElseHappens() throws IOException {
    Archive archive = archiveOfMany();
    Chunk chunk = archive.entryIndex().getFirst();
    byte[] raw = Zstd.decompress(store.get(chunk.digest()), chunk.tarBytes());
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    for (int round = 0; round < 3000; round++) {
      byte[] damaged = raw.clone();
      for (int flips = random.nextInt(3); flips >= 0; flips--) {
        damaged[random.nextInt(damaged.length)] = (byte) random.nextInt();
      }
      Archive broken = with(archive, damaged);
      try {
        assertThat(read(store, broken)).as("seed %d", seed).hasSize((int) archive.entries());
      } catch (RegenException.Damaged expected) {
        assertThat(expected).hasMessageContaining("the entry index holds");
      }
    }
  }

  @Test
  void firstEntryOfEachGroupIsMarkedAndSharesNoPath() throws IOException {
    Archive archive = archiveOfMany();

    List<EntryIndex.Entry> entries = read(store, archive);

    long offset = 0;
    List<Long> chunkStarts = new ArrayList<>();
    for (Chunk chunk : archive.chunks()) {
      chunkStarts.add(offset);
      offset += chunk.tarBytes();
    }
    List<EntryIndex.Entry> first = entries.stream().filter(EntryIndex.Entry::beginsGroup).toList();
    assertThat(first).hasSizeGreaterThan(2).contains(entries.getFirst());
    assertThat(chunkStarts).containsAll(first.stream().map(EntryIndex.Entry::tarOffset).toList());
  }

  @Test
  void versionWithoutMarksIsStillRead() throws IOException {
    Path tree = Files.createDirectory(directory.resolve("small"));
    Tool.bash(tree, "mkdir d; echo 1 > d/one; echo 2 > d/two");
    Archive archive = archive(tree);
    Chunk chunk = archive.entryIndex().getFirst();
    byte[] raw = Zstd.decompress(store.get(chunk.digest()), chunk.tarBytes());
    raw[4] = 1;
    assertThatThrownBy(() -> read(store, with(archive, raw)))
        .hasMessageContaining("an entry of unknown type");
    raw[5] &= ~EntryIndex.BEGINS_GROUP;

    List<EntryIndex.Entry> entries = read(store, with(archive, raw));

    assertThat(entries.stream().map(e -> text(e.path())))
        .containsExactly("", "d", "d/one", "d/two");
    assertThat(entries).noneMatch(EntryIndex.Entry::beginsGroup);
  }

  @Test
  void unknownVersionIsRefused() throws IOException {
    Archive archive = archiveOfMany();
    Chunk chunk = archive.entryIndex().getFirst();
    byte[] raw = Zstd.decompress(store.get(chunk.digest()), chunk.tarBytes());
    raw[4]++;

    assertThatThrownBy(() -> read(store, with(archive, raw)))
        .isInstanceOf(RegenException.Damaged.class)
        .hasMessageContaining("unknown form or version");
  }

  @Test
  void chunkThatGrowsBeyondWhatItSaysIsRefused() throws IOException {
    Archive archive = archiveOfMany();
    byte[] stored = Zstd.compress(new byte[1 << 20]);
    Digest digest = Digest.of(ByteBuffer.wrap(stored));
    store.put(digest, ByteBuffer.wrap(stored));
    Chunk bomb = new Chunk(digest, stored.length, 1000);

    assertThatThrownBy(() -> read(store, with(archive, bomb)))
        .isInstanceOf(RegenException.Damaged.class);
  }

  static List<EntryIndex.Entry> read(MemoryChunkStore store, Archive archive) throws IOException {
    EntryIndex index = EntryIndex.open(new ChunkReader(store), archive);
    List<EntryIndex.Entry> entries = new ArrayList<>();
    for (EntryIndex.Entry entry = index.next(); entry != null; entry = index.next()) {
      entries.add(entry);
    }
    return entries;
  }

  private Archive archiveOfMany() throws IOException {
    Path tree = Files.createDirectories(directory.resolve("tree"));
    Tool.bash(
        tree,
        "for i in {1..9}; do mkdir -p d$i/sub; for j in {1..30}; do echo $i$j > d$i/sub/file$j; done;"
            + "ln -s ../d$i d$i/up; ln d$i/sub/file1 d$i/hard; done; chmod 751 d3;"
            + "head -c 3000000 /dev/urandom > large; touch -d '1960-02-03 04:05:06.789 UTC' d1/hard");
    return archive(tree);
  }

  private Archive archive(Path tree) throws IOException {
    return new LayerArchiver(store, 2)
        .archive(tree, ArchiveRequest.PLAIN, Progress.NONE, () -> false);
  }

  private byte[] tar(Archive archive) throws IOException {
    store.layer(archive, directory.resolve("layer"));
    Tool.bash(directory, "zstd -qdc layer > layer.tar");
    return Files.readAllBytes(directory.resolve("layer.tar"));
  }

  private Archive with(Archive archive, byte[] index) throws IOException {
    byte[] stored = Zstd.compress(index);
    Digest digest = Digest.of(ByteBuffer.wrap(stored));
    store.put(digest, ByteBuffer.wrap(stored));
    return with(archive, new Chunk(digest, stored.length, index.length));
  }

  private static Archive with(Archive archive, Chunk index) {
    return new Archive(
        archive.chunks(),
        List.of(index),
        archive.entries(),
        archive.tarBytes(),
        archive.storedBytes(),
        archive.newBytes(),
        archive.omitted(),
        archive.omittedCount());
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }
}
