package dev.regen.snapshot.layer;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What layers make together, lowest first: names, and of which member of which layer each is. What
 * a layer deletes it deletes of those below, wherever in the layer that stands.
 *
 * <p>What engines do with a layer is done here: a directory that no member describes is made for
 * what lies in it, also in the place of another's file or symbolic link.
 *
 * <p>Source: OCI image specification, layer.md, "Applying Changesets".
 */
final class MergedTree {
  /** Of about 100 bytes each, and what is in their names. */
  static final int NAMES_MAX = 1_000_000;

  private static final int NAME_BYTES_MAX = 64 << 20;
  private static final int XATTR_BYTES_MAX = 16 << 20;

  private final int namesMax;
  private final MergedNode root = new MergedNode(null, new byte[0]);
  private int layer;
  private int names;
  private long nameBytes;
  private long xattrBytes;

  /**
   * @param namesMax the most names that all layers together may bring
   */
  MergedTree(int namesMax) {
    this.namesMax = namesMax;
    root.directory = new MergedNode.Directory();
  }

  MergedNode root() {
    return root;
  }

  /** What is done from now on, this layer does. */
  void begin(int number) {
    layer = number;
  }

  void directory(MemberPath path, int member, MergedNode.Facts facts) throws BadLayerException {
    for (Xattr xattr : facts.xattrs()) {
      xattrBytes += xattr.name().length + xattr.value().length;
    }
    if (xattrBytes > XATTR_BYTES_MAX) {
      throw new BadLayerException("its directories have too many extended attributes");
    }
    MergedNode node = path.isRoot() ? root : put(path);
    MergedNode.Directory directory = node.directory;
    if (directory == null) {
      directory = new MergedNode.Directory();
      node.directory = directory;
    }
    directory.facts = facts;
    is(node, layer, member);
  }

  void other(MemberPath path, int member) throws BadLayerException {
    if (path.isRoot()) {
      throw new BadLayerException("its root is no directory");
    }
    MergedNode node = put(path);
    node.directory = null;
    is(node, layer, member);
  }

  void link(MemberPath path, MemberPath target) throws BadLayerException {
    MergedNode first = target.kind() == MemberPath.Kind.ADDED ? find(target.all()) : null;
    if (first == null || first.directory != null) {
      throw new BadLayerException("is a hard link of what is no file there");
    }
    int ofLayer = first.layer;
    int member = first.member;
    MergedNode node = put(path);
    node.directory = null;
    is(node, ofLayer, member);
  }

  /** The layers below have nothing at {@code path} from now on. */
  void delete(MemberPath path) {
    MergedNode node = find(path.all());
    if (node == null) {
      return;
    }
    if (node.touched < layer) {
      remove(node);
    } else if (node.directory != null) {
      forgetFacts(node);
      hideBelow(node);
    }
  }

  /** Nothing is at {@code path} from now on, of this layer neither. */
  void remove(MemberPath path) {
    MergedNode node = find(path.all());
    if (node != null) {
      remove(node);
    }
  }

  /** The layers below have nothing in this directory from now on. */
  void opaque(List<byte[]> path) {
    MergedNode node = find(path);
    if (node != null && node.directory != null) {
      hideBelow(node);
    }
  }

  /** The names whose member is in each of so many layers, in the order of members. */
  List<List<MergedNode>> byLayer(int layers) {
    List<List<MergedNode>> all = new ArrayList<>();
    for (int i = 0; i < layers; i++) {
      all.add(new ArrayList<>());
    }
    eachBelow(
        root,
        node -> {
          if (node.layer != MergedNode.NO_LAYER) {
            all.get(node.layer).add(node);
          }
          return true;
        });
    all.forEach(some -> some.sort(Comparator.comparingInt(node -> node.member)));
    return all;
  }

  private void is(MergedNode node, int ofLayer, int member) {
    node.layer = ofLayer;
    node.member = member;
    node.touched = layer;
  }

  /** The name, which may have been there. */
  private MergedNode put(MemberPath path) throws BadLayerException {
    MergedNode parent = root;
    root.touched = layer;
    for (byte[] name : path.parents()) {
      MergedNode child = child(parent, name);
      if (child.directory == null) {
        if (child.touched == layer) {
          throw new BadLayerException("lies beneath what is no directory in the same layer");
        }
        child.directory = new MergedNode.Directory();
        child.layer = MergedNode.NO_LAYER;
      }
      child.touched = layer;
      parent = child;
    }
    return child(parent, path.name());
  }

  private MergedNode child(MergedNode parent, byte[] name) throws BadLayerException {
    MergedNode.Directory directory = directory(parent);
    MergedNode known = directory.find(name);
    if (known != null) {
      return known;
    }
    names++;
    nameBytes += name.length;
    if (names > namesMax || nameBytes > NAME_BYTES_MAX) {
      throw new BadLayerException(
          "with it the image has more than " + namesMax + " names, or names of more than 64 MiB");
    }
    MergedNode made = new MergedNode(parent, name);
    directory.add(made);
    return made;
  }

  private @Nullable MergedNode find(List<byte[]> path) {
    MergedNode node = root;
    for (byte[] name : path) {
      if (node == null || node.directory == null) {
        return null;
      }
      if (name.length > 0) {
        node = node.directory.find(name);
      }
    }
    return node;
  }

  private static void remove(MergedNode node) {
    MergedNode parent = node.parent();
    if (parent != null) {
      directory(parent).remove(node);
    }
  }

  /** A directory of this layer stays, with what this layer has in it. */
  private void hideBelow(MergedNode top) {
    eachBelow(
        top,
        node -> {
          if (node == top) {
            return true;
          }
          if (node.touched < layer) {
            remove(node);
            return false;
          }
          forgetFacts(node);
          return true;
        });
  }

  private void forgetFacts(MergedNode node) {
    MergedNode.Directory directory = node.directory;
    if (directory != null && node.layer < layer) {
      directory.facts = null;
      node.layer = MergedNode.NO_LAYER;
    }
  }

  /** Whether to go on beneath a node. */
  private interface Visitor {
    boolean visit(MergedNode node);
  }

  /** A node and all beneath it; paths may have more names than a thread's stack has room for. */
  private static void eachBelow(MergedNode top, Visitor visitor) {
    Deque<MergedNode> waiting = new ArrayDeque<>();
    waiting.push(top);
    Consumer<MergedNode> wait = waiting::push;
    while (!waiting.isEmpty()) {
      MergedNode node = waiting.pop();
      if (visitor.visit(node) && node.directory != null) {
        node.directory.each(wait);
      }
    }
  }

  private static MergedNode.Directory directory(MergedNode node) {
    MergedNode.Directory directory = node.directory;
    if (directory == null) {
      throw new IllegalStateException("no directory");
    }
    return directory;
  }
}
