package dev.regen.runtime.durable;

import dev.regen.runtime.os.Fd;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * The file operations on which a promise after a power cut rests, one method each, so that a test
 * can cut the power before any of them and lose what was not forced.
 *
 * <p>What a method did survives a power cut only once the force that its doc names has returned.
 * Paths are absolute. Every method fails with an {@link IOException} that names the path; a full
 * disk is a {@link DiskFullException} and leaves at most an incomplete new file.
 */
public interface Disk {
  /** Where in memory a long content may begin, so that it can go to the disk without a copy. */
  int ALIGNED_BYTES = 4096;

  /**
   * The whole content of a file.
   *
   * @param limitBytes the most it may hold
   * @throws java.nio.file.NoSuchFileException if there is none
   * @throws FileTooLargeException if it holds more; nothing was read then
   */
  byte[] read(Path file, long limitBytes) throws IOException;

  /**
   * {@code length} bytes of a file from {@code offset} on.
   *
   * @throws java.nio.file.NoSuchFileException if there is none
   * @throws IOException if it ends before that
   */
  byte[] read(Path file, long offset, int length) throws IOException;

  /**
   * Writes a new file, lasting after {@link #force} of the file and {@link #forceDirectory} of its
   * directory.
   *
   * @throws java.nio.file.FileAlreadyExistsException if the name is taken
   */
  void create(Path file, ByteBuffer content) throws IOException;

  /**
   * Writes at the end of a file that is there, lasting after {@link #force} of the file; a failure
   * or a power cut before that may leave any part of {@code content} there.
   *
   * @throws java.nio.file.NoSuchFileException if there is none
   */
  void append(Path file, ByteBuffer content) throws IOException;

  /**
   * Asks for the file's content to be written out soon, and waits for nothing, so that a later
   * {@link #force} has less to do. Promises nothing.
   */
  void startWriteout(Path file) throws IOException;

  /**
   * Writes out everything that was ever written to the file system which holds {@code path}, and
   * waits for it. A write through a mapping that follows moves its file's times, as the first one
   * did; until then only the first one does.
   */
  void forceFileSystem(Path path) throws IOException;

  /** Forces the file's content and size to the disk. */
  void force(Path file) throws IOException;

  /** Renames over {@code to}; lasting after {@link #forceDirectory} of both directories. */
  void rename(Path from, Path to) throws IOException;

  /**
   * Swaps two names in one step, so that each is there at every moment; lasting as {@link #rename}.
   */
  void exchange(Path one, Path other) throws IOException;

  /**
   * Moves a name from one open directory to another, where nothing has it; lasting as {@link
   * #rename}.
   */
  void move(Fd from, byte[] name, Fd to) throws IOException;

  /**
   * Gives the room of some bytes back, which are zeros from now on; the file keeps its length. A
   * power cut may bring them back. Where the file system cannot do that they stay as they are.
   */
  void punch(Path file, long offset, long length) throws IOException;

  /** Forces the names in a directory to the disk. */
  void forceDirectory(Path directory) throws IOException;

  /** Removes a file if it is there; lasting after {@link #forceDirectory}. */
  void delete(Path file) throws IOException;

  /**
   * Makes a directory and those above it that are missing, mode 0700; lasting after {@link
   * #forceDirectory} of each parent.
   */
  void makeDirectories(Path directory) throws IOException;

  /** The names in a directory, sorted; empty if there is no such directory. */
  List<Path> list(Path directory) throws IOException;

  /** The length of a file, or -1 if nothing has that name. */
  long size(Path file) throws IOException;

  /**
   * Takes the lock of a file, which is made if it is missing, for this caller alone: not for
   * another thread of this process either. The lock ends with the process at the latest.
   *
   * @return empty if somebody else holds it
   */
  Optional<Lock> tryLock(Path file) throws IOException;

  /** A lock that is held until it is closed. */
  interface Lock extends AutoCloseable {
    @Override
    void close();
  }
}
