package dev.regen.snapshot.layer;

import dev.regen.runtime.os.Fd;
import java.io.IOException;
import java.util.List;

/** The directories of a tree that is being made. */
interface Directories extends AutoCloseable {
  /**
   * The open directory with these names; those that are not there are made. Good until the next
   * call.
   *
   * @param cause the member that is to be made in it
   */
  Fd at(List<byte[]> names, TarMember cause) throws IOException;

  /** Makes the directory {@code path}, or takes {@code member} for it if it is there. */
  void add(MemberPath path, TarMember member) throws IOException;

  /** After the last member. */
  void finish() throws IOException;

  @Override
  void close();
}
