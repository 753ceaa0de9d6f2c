import dev.regen.snapshot.KeyId;
import dev.regen.snapshot.crypt.*;
import java.util.*;
public class W {
  public static void main(String[] a) throws Exception {
    QueueKey key=new QueueKey(new KeyId("0123456789abcdef"),"x",new byte[32]);
    byte[] small=new byte[16384]; byte[] si=new byte[16384+69];
    long t0=System.nanoTime();
    for (int i=0;i<Integer.parseInt(a[0]);i++) { small[0]=(byte)i; small[1]=(byte)(i>>8); Envelope.seal(key,small,small.length,si); Envelope.open(key,si); }
    System.out.printf("warm-up %d ms%n",(System.nanoTime()-t0)/1000000);
    byte[] text=new byte[1000000]; new Random(2).nextBytes(text);
    byte[] into=new byte[text.length+69];
    for (int round=0; round<4; round++) {
      long t=System.nanoTime(); int n=0;
      while (n<64) { text[n]++; Envelope.seal(key,text,text.length,into); n++; }
      double s=(System.nanoTime()-t)/1e9; 
      long u=System.nanoTime(); int m=0;
      while (m<64) { Envelope.open(key,into); m++; }
      double o=(System.nanoTime()-u)/1e9;
      System.out.printf("round %d seal %.0f MB/s open %.0f MB/s%n",round,n*(double)text.length/s/1e6,m*(double)text.length/o/1e6);
    }
  }
}
