package dev.regen.snapshot.store;

import static org.assertj.core.api.Assertions.assertThat;

import dev.regen.runtime.durable.Disk;
import dev.regen.runtime.durable.LocalDisk;
import dev.regen.snapshot.Chunk;
import dev.regen.snapshot.Digest;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

final class PackedChunkStoreTest extends ChunkStoreContract {
  private PackedChunkStore store;

  @BeforeEach
  void openStore() {
    store = opened();
  }

  private PackedChunkStore opened() {
    return new PackedChunkStore(new LocalDisk(), chunks());
  }

  @Override
  ChunkStore open(Path chunks) {
    return new PackedChunkStore(new LocalDisk(), chunks);
  }

  @Override
  Path flipBit(ChunkStore damaged, Digest digest) throws IOException {
    return StoredBytes.flipBit((PackedChunkStore) damaged, digest);
  }

  @Test
  void smallChunksShareFilesAndAreFoundBeforeAndAfterTheForce() throws IOException {
    List<byte[]> all = new ArrayList<>();
    for (int i = 0; i < 300; i++) {
      all.add(bytes(i, 1 + i * 150));
      assertThat(store.put(digest(all.get(i)), ByteBuffer.wrap(all.get(i)))).isTrue();
      assertThat(store.put(digest(all.get(i)), ByteBuffer.wrap(all.get(i)))).isFalse();
    }
    assertHolds(store, all);
    assertThat(packs()).isEmpty();

    store.force();

    assertHolds(store, all);
    assertHolds(opened(), all);
    assertThat(packs()).hasSize(2);
    assertThat(chunks().resolve("tmp")).isEmptyDirectory();
    assertThat(chunks().resolve("sha256")).isEmptyDirectory();
  }

  /** Hazard: who reads in the moment between the rename and what follows finds no file. */
  @Test
  void aChunkIsFoundWhileItsPackGetsItsName() throws IOException {
    byte[] small = bytes(3, 700);
    List<byte[]> read = new ArrayList<>();
    LocalDisk disk = new LocalDisk();
    Disk looking =
        (Disk)
            Proxy.newProxyInstance(
                Disk.class.getClassLoader(),
                new Class<?>[] {Disk.class},
                (_, method, arguments) -> {
                  boolean naming = method.getName().equals("rename");
                  if (naming) {
                    read.add(store.get(digest(small)));
                  }
                  try {
                    Object result = method.invoke(disk, arguments);
                    if (naming) {
                      read.add(store.get(digest(small)));
                    }
                    return result;
                  } catch (InvocationTargetException e) {
                    throw e.getCause();
                  }
                });
    store = new PackedChunkStore(looking, chunks());
    store.put(digest(small), ByteBuffer.wrap(small));

    store.force();

    read.add(store.get(digest(small)));
    assertThat(read).hasSize(3).allSatisfy(bytes -> assertThat(bytes).isEqualTo(small));
  }

  @Test
  void aLargeChunkIsAFileOfItsOwn() throws IOException {
    byte[] large = bytes(1, PackedChunkStore.SINGLE_BYTES);
    store.put(digest(large), ByteBuffer.wrap(large));
    store.force();

    assertThat(packs()).isEmpty();
    assertHolds(opened(), List.of(large));
  }

  /** A store as earlier builds left it. */
  @Test
  void smallChunksInFilesOfTheirOwnAreFoundAndDeleted() throws IOException {
    byte[] small = bytes(2, 700);
    DirectoryChunkStore before = new DirectoryChunkStore(chunks());
    before.put(digest(small), ByteBuffer.wrap(small));
    before.force();

    assertHolds(store, List.of(small));
    assertThat(store.put(digest(small), ByteBuffer.wrap(small))).isFalse();
    store.delete(Set.of(digest(small)));

    assertThat(store.missing(Set.of(digest(small)))).hasSize(1);
  }

  @Test
  void deletedChunksStayDeletedAndTheirRoomIsGivenBack() throws IOException {
    List<byte[]> all = put(60, 60_000);
    store.force();
    long before = blocks();

    List<byte[]> gone = all.subList(10, 50);
    store.delete(gone.stream().map(ChunkStoreContract::digest).toList());

    assertThat(before - blocks()).isGreaterThan(39 * 60_000 / 512);
    for (PackedChunkStore one : List.of(store, opened())) {
      assertThat(one.missing(gone.stream().map(ChunkStoreContract::digest).toList())).hasSize(40);
      assertHolds(one, all.subList(0, 10));
      assertHolds(one, all.subList(50, 60));
      assertThat(listed(one)).hasSize(20);
    }
    store.delete(listed(store));

    assertThat(packs()).isEmpty();
    assertThat(listed(opened())).isEmpty();
  }

  @Test
  void aDeletedChunkCanBeStoredAgain() throws IOException {
    List<byte[]> all = put(10, 5000);
    store.force();
    store.delete(Set.of(digest(all.get(4))));

    assertThat(store.put(digest(all.get(4)), ByteBuffer.wrap(all.get(4)))).isTrue();
    store.force();

    assertHolds(store, all);
    assertHolds(opened(), all);
    opened().delete(Set.of(digest(all.get(4))));
    assertThat(listed(opened())).hasSize(9);
  }

  /** The holes of deleted chunks must never be taken for chunks. */
  @Test
  void withoutItsRecordOfDeletionsTheBytesTell() throws IOException {
    List<byte[]> all = put(60, 60_000);
    store.force();
    List<Digest> gone = all.subList(10, 50).stream().map(ChunkStoreContract::digest).toList();
    store.delete(gone);
    Files.writeString(chunks().resolve("packs/removed"), "rubbish");

    PackedChunkStore next = opened();

    assertThat(next.missing(gone)).hasSize(40);
    assertThat(listed(next)).hasSize(20);
    next.delete(Set.of(digest(all.get(0))));
    assertThat(listed(opened())).hasSize(19);
  }

  @Test
  void aPackWhoseListIsDamagedIsLeftAloneAndItsChunksAreMissing() throws IOException {
    put(10, 5000);
    store.force();
    Path pack = packs().getFirst();
    long seed = System.nanoTime();
    System.out.println("seed " + seed);
    byte[] whole = Files.readAllBytes(pack);
    Random random = new Random(seed);
    for (int i = 0; i < 200; i++) {
      byte[] bad = whole.clone();
      if (random.nextBoolean()) {
        bad[bad.length - 1 - random.nextInt(10 * 36 + 28)] ^= (byte) (1 << random.nextInt(8));
      } else {
        bad = Arrays.copyOf(bad, random.nextInt(bad.length));
      }
      Files.write(pack, bad);

      assertThat(listed(opened())).isEmpty();
    }
    opened().delete(List.of());
    assertThat(pack).exists();
    Files.write(pack, whole);
    assertThat(listed(opened())).hasSize(10);
  }

  /** Somebody brings the file back from a copy: the holes in it are no chunks. */
  @Test
  void whatWasRemovedFromAPackIsKnownWhileItsListCannotBeRead() throws IOException {
    List<byte[]> all = put(60, 60_000);
    store.force();
    List<Digest> gone = all.subList(10, 50).stream().map(ChunkStoreContract::digest).toList();
    store.delete(gone);
    Path pack = packs().getFirst();
    byte[] whole = Files.readAllBytes(pack);
    Files.write(pack, Arrays.copyOf(whole, whole.length - 1));
    PackedChunkStore meanwhile = opened();
    byte[] more = bytes(5000, 700);
    byte[] other = bytes(5001, 700);
    meanwhile.put(digest(more), ByteBuffer.wrap(more));
    meanwhile.put(digest(other), ByteBuffer.wrap(other));
    meanwhile.force();
    meanwhile.delete(Set.of(digest(more)));
    Files.write(pack, whole);

    assertThat(opened().missing(gone)).hasSize(40);
    assertThat(listed(opened())).hasSize(21);
  }

  private List<byte[]> put(int count, int length) throws IOException {
    List<byte[]> all = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      byte[] bytes = bytes(1000 + i, length);
      all.add(bytes);
      store.put(digest(bytes), ByteBuffer.wrap(bytes));
    }
    return all;
  }

  private static void assertHolds(PackedChunkStore store, List<byte[]> all) throws IOException {
    for (byte[] bytes : all) {
      assertHolds(store, bytes);
      assertThat(store.holds(new Chunk(digest(bytes), bytes.length + 1, 1))).isFalse();
    }
  }

  private List<Path> packs() throws IOException {
    if (!Files.isDirectory(chunks().resolve("packs"))) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(chunks().resolve("packs"))) {
      return files.filter(file -> file.getFileName().toString().length() == 64).toList();
    }
  }

  private long blocks() throws IOException {
    long blocks = 0;
    for (Path pack : packs()) {
      Process stat = new ProcessBuilder("stat", "-c", "%b", pack.toString()).start();
      blocks += Long.parseLong(stat.inputReader(StandardCharsets.US_ASCII).readLine());
    }
    return blocks;
  }
}
