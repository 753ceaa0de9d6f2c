package dev.regen.runtime.durable;

import dev.regen.runtime.os.ErrnoException;
import dev.regen.runtime.os.Fd;
import dev.regen.runtime.os.Stat;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/** The local file system. */
public final class LocalDisk implements Disk {
  private static final int RENAME_NOREPLACE = 1;
  private static final int RENAME_EXCHANGE = 2;
  private static final int PIECE_BYTES = 1 << 20;
  private static final int PAST_CACHE_BYTES = 128 << 10;
  private static final int LOCK_FILE_MODE = 0600;
  private static final FileAttribute<Set<PosixFilePermission>> OWNER_ONLY =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));

  @Override
  public byte[] read(Path file, long limitBytes) throws IOException {
    try (SeekableByteChannel channel = Files.newByteChannel(file)) {
      long size = channel.size();
      if (size > limitBytes) {
        throw new FileTooLargeException(file, size, limitBytes);
      }
      ByteBuffer content = ByteBuffer.allocate((int) size);
      while (content.hasRemaining()) {
        ByteBuffer piece = piece(content);
        if (channel.read(piece) < 0) {
          throw new IOException(file + " became shorter while it was read");
        }
        content.position(content.position() + piece.position());
      }
      return content.array();
    }
  }

  @Override
  public byte[] read(Path file, long offset, int length) throws IOException {
    try (SeekableByteChannel channel = Files.newByteChannel(file)) {
      ByteBuffer content = ByteBuffer.allocate(length);
      channel.position(offset);
      while (content.hasRemaining()) {
        ByteBuffer piece = piece(content);
        if (channel.read(piece) < 0) {
          throw new IOException(file + " is shorter than " + (offset + length) + " bytes");
        }
        content.position(content.position() + piece.position());
      }
      return content.array();
    }
  }

  @Override
  public void create(Path file, ByteBuffer content) throws IOException {
    try (FileChannel channel =
        FileChannel.open(
            file, Set.of(StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW), OWNER_ONLY)) {
      if (content.remaining() >= PAST_CACHE_BYTES && isAligned(content)) {
        channel.position(writePastCache(file, content));
      }
      while (content.hasRemaining()) {
        content.position(content.position() + channel.write(piece(content)));
      }
    } catch (IOException e) {
      throw DiskFullException.orAsItIs(file, e);
    }
  }

  @Override
  public void append(Path file, ByteBuffer content) throws IOException {
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.WRITE, StandardOpenOption.APPEND)) {
      while (content.hasRemaining()) {
        content.position(content.position() + channel.write(piece(content)));
      }
    } catch (IOException e) {
      throw DiskFullException.orAsItIs(file, e);
    }
  }

  private static boolean isAligned(ByteBuffer content) {
    return content.isDirect() && content.alignmentOffset(content.position(), ALIGNED_BYTES) == 0;
  }

  /**
   * Writes whole blocks from memory to the disk, so that no copy of them takes the room of what is
   * read again; returns how far it came, at most to the last whole block.
   */
  private static int writePastCache(Path file, ByteBuffer content) {
    int from = content.position();
    ByteBuffer whole = content.duplicate();
    whole.limit(from + content.remaining() / ALIGNED_BYTES * ALIGNED_BYTES);
    try (Fd opened = Fd.open(Fd.bytes(file), Fd.WRONLY | Fd.PAST_CACHE, 0)) {
      opened.write(whole);
    } catch (ErrnoException e) {
      // This file system has other rules, or the disk is full: the rest is written as usual.
      whole.limit(whole.position());
    }
    content.position(whole.position());
    return whole.position() - from;
  }

  @Override
  public void startWriteout(Path file) throws IOException {
    try (Fd opened = Fd.open(Fd.bytes(file), Fd.WRONLY, 0)) {
      opened.startWriteout();
    }
  }

  @Override
  public void forceFileSystem(Path path) throws IOException {
    try (Fd opened = Fd.open(Fd.bytes(path), Fd.RDONLY, 0)) {
      opened.syncfs();
    }
  }

  @Override
  public void force(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.force(true);
    } catch (IOException e) {
      throw DiskFullException.orAsItIs(file, e);
    }
  }

  @Override
  public void rename(Path from, Path to) throws IOException {
    try {
      Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw DiskFullException.orAsItIs(to, e);
    }
  }

  @Override
  public void exchange(Path one, Path other) throws IOException {
    try (Fd here = Fd.directory(parent(one));
        Fd there = Fd.directory(parent(other))) {
      here.renameAt(
          Fd.bytes(one.getFileName()), there, Fd.bytes(other.getFileName()), RENAME_EXCHANGE);
    }
  }

  @Override
  public void move(Fd from, byte[] name, Fd to) throws IOException {
    from.renameAt(name, to, name, RENAME_NOREPLACE);
  }

  @Override
  public void punch(Path file, long offset, long length) throws IOException {
    try (Fd opened = Fd.open(Fd.bytes(file), Fd.WRONLY, 0)) {
      opened.punch(offset, length);
    }
  }

  @Override
  public void forceDirectory(Path directory) throws IOException {
    try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  @Override
  public void delete(Path file) throws IOException {
    Files.deleteIfExists(file);
  }

  @Override
  public void makeDirectories(Path directory) throws IOException {
    try {
      Files.createDirectories(
          directory,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    } catch (IOException e) {
      throw DiskFullException.orAsItIs(directory, e);
    }
  }

  @Override
  public List<Path> list(Path directory) throws IOException {
    try (Stream<Path> names = Files.list(directory)) {
      return names.sorted().toList();
    } catch (NoSuchFileException e) {
      return List.of();
    }
  }

  @Override
  public long size(Path file) throws IOException {
    Stat stat = Fd.statIfThere(file);
    return stat == null ? -1 : stat.size();
  }

  @Override
  public Optional<Lock> tryLock(Path file) throws IOException {
    Fd opened = Fd.open(Fd.bytes(file), Fd.RDWR | Fd.CREAT, LOCK_FILE_MODE);
    try {
      if (opened.tryLock()) {
        return Optional.of(opened::close);
      }
    } catch (IOException e) {
      opened.close();
      throw e;
    }
    opened.close();
    return Optional.empty();
  }

  /**
   * Java copies what a channel is given into memory that each thread then keeps: in small pieces.
   */
  private static ByteBuffer piece(ByteBuffer content) {
    return content.slice(content.position(), Math.min(PIECE_BYTES, content.remaining()));
  }

  private static Path parent(Path path) {
    Path parent = path.getParent();
    if (parent == null) {
      throw new IllegalArgumentException(path + " has no directory above it");
    }
    return parent;
  }
}
