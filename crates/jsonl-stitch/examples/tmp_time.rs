use jsonl_stitch::*;
fn main(){ let f=std::env::args().nth(1).unwrap(); let t=std::time::Instant::now(); let open=||std::fs::File::open(&f); let lim=load::Limits::default();
let c=check(open().unwrap(),"t",lim,|_|Ok(())).unwrap(); println!("{} rows {:?}", c.index.len(), t.elapsed());
for l in &c.loads { println!("{:?} {} {}/{} {:?} {:?}", l.loader,l.strategy,l.shown,l.of,l.hidden,l.lost); }
let d=decide(&c,"t",&load::Loader::ALL,stitch::Options::default(),lim,open).unwrap(); println!("{:?} {} edits {:?} {:?}", d.why, d.edits.len(), count_kinds(&d.edits), t.elapsed());
for l in &d.after { println!("{:?} {} {}/{} {:?} {:?} {:?}", l.loader,l.strategy,l.shown,l.of,l.hidden,l.lost,l.walk); }
}
